"""An index in the order in which the book is read."""

from alembic import op

revision = "daybook_0002"
down_revision = "daybook_0001"
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """An index in the order in which the book is read, in place of the one by day alone."""
    op.create_index("ix_daybook_entry_day", "daybook_entry", ["business_id", "business_date", "at", "id"], unique=False)
    op.drop_index("ix_daybook_entry_business_id_business_date", table_name="daybook_entry")
