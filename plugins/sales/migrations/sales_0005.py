"""How a sale was taxed stays with it: in which circumstances, and each line's category and codes."""

import sqlalchemy as sa
from alembic import op

from kernel.db import Json

revision = "sales_0005"
down_revision = "sales_0004"
requires: tuple[str, ...] = ()


def upgrade() -> None:
    """Circumstances on the sale, category and codes on its lines; sales of before have none."""
    op.add_column("sales_sale", sa.Column("tax_terms", Json, nullable=True))
    op.add_column("sales_line", sa.Column("tax_category", sa.Text(), nullable=True))
    op.add_column("sales_line", sa.Column("tax_codes", Json, nullable=True))
