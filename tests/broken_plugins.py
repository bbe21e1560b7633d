"""Plugins that each break one rule of the conformance suite, installed into a folder to be run there."""

from __future__ import annotations

import textwrap
from pathlib import Path

from tests.broken_pages import BROKEN_PAGES

_ROUTES = """
from uuid import UUID
import sqlalchemy as sa
from kernel.db import new_id
from kernel.web import command, query
from kernel.wire import ListQuery, Page
from kernel.work import Work
from acme_{name}.models import Thing
from msgspec import Struct

class ThingOut(Struct, frozen=True):
    id: UUID

class ThingQuery(ListQuery, frozen=True, kw_only=True):
    pass

@command("POST", "/things", permission="{name}.see")
async def add_thing(work: Work) -> ThingOut:
    "Add a thing."
    made = Thing(id=new_id(), size=1)
    work.session.add(made)
    await work.session.flush()
    return ThingOut(made.id)

@query("/things", permission="{name}.see")
async def list_things(work: Work, query: ThingQuery) -> Page[ThingOut]:
    "Things."
    t = Thing.__table__.c
    {all}
    {each}
    return Page([ThingOut(row.id) for row in rows][: query.limit])
"""
_MODELS = """
from sqlalchemy.orm import Mapped, mapped_column
from kernel.db import Base, Owned

class Thing(Owned, Base):
    "A thing."
    __tablename__ = "{name}_thing"
    size: Mapped[int] = mapped_column()
    {more}
"""
_MIGRATION = """
import sqlalchemy as sa
from alembic import op
from kernel.migrate import tenant_table

revision = "{name}_0001"
down_revision = None
requires: tuple[str, ...] = ()

def upgrade() -> None:
    op.create_table(
        "{name}_thing",
        sa.Column("size", sa.BigInteger(), nullable=False),
        {more}
        sa.Column("business_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("business_id", "id", name=op.f("pk_{name}_thing")),
    )
    tenant_table("{name}_thing")
"""
_SEES = 'permissions=(Permission("{name}.see", "See things"),)'
_OWN = "rows = (await work.execute(sa.select(t.id).where(t.business_id == work.business_id))).all()"
_EVERYBODYS = "rows = (await work.execute(sa.select(t.id))).all()"
_PER_ROW = """for row in rows[: query.limit]:
        await work.execute(sa.select(t.size).where(t.business_id == work.business_id, t.id == row.id))"""


def _with_things(name: str, all_: str = _OWN, each: str = "", column: str = "", stored: str = "") -> dict[str, str]:
    return {
        "models.py": _MODELS.format(name=name, more=column),
        "routes.py": _ROUTES.format(name=name, all=all_, each=each),
        f"migrations/{name}_0001.py": _MIGRATION.format(name=name, more=stored),
    }


BROKEN: dict[str, tuple[dict[str, str], str, str, str]] = {
    "untidy": ({"helpers.py": ""}, "", "keeps_to_the_anatomy", "is no name of the anatomy"),
    "misnamed": (
        {path: text.replace("misnamed_thing", "strange_thing") for path, text in _with_things("misnamed").items()},
        _SEES,
        "what_it_owns_bears_its_name",
        "table strange_thing: call it misnamed_thing",
    ),
    "unasked": (
        {
            "routes.py": """
                from kernel.web import query
                from kernel.work import Work

                @query("/thing", permission="discounts.edit")
                async def get_thing(work: Work) -> int:
                    "A thing."
                    return 1
            """
        },
        "",
        "every_route_asks",
        "nor what it stands on declares the permission 'discounts.edit'; add it to PLUGIN.permissions",
    ),
    "unsaid": (
        {
            "hooks.py": """
                from kernel.hooks import spec

                @spec
                def thing_wanted() -> int | None:
                    "Say how many things."
            """
        },
        "",
        "hooks_it_calls_are_documented",
        "hook thing_wanted: its docstring lacks When:, Answer:, Errors:, Since:, Not for:",
    ),
    "unset": (
        {
            "schemas.py": """
                from typing import Annotated
                from msgspec import Meta, Struct

                class Settings(Struct, frozen=True, forbid_unknown_fields=True):
                    "Settings."
                    size: Annotated[int, Meta(ge=1, title="Size")] = 0
            """
        },
        'settings="schemas:Settings"',
        "settings_have_titles_and_sound_defaults",
        "settings Settings.size: its default is refused by its own type",
    ),
    "forgetful": (
        {
            "schemas.py": """
                from typing import Annotated
                from msgspec import Meta, Struct

                class Settings(Struct, frozen=True, forbid_unknown_fields=True):
                    "Settings."
                    size: Annotated[int, Meta(title="Size")] = 2

                    def __post_init__(self) -> None:
                        if self.size < 3:
                            raise ValueError("too small")
            """
        },
        'settings="schemas:Settings"',
        "settings_come_back_as_they_went",
        "values that its types allow are refused",
    ),
    "unclassed": (
        _with_things(
            "unclassed",
            column="nickname: Mapped[str | None] = mapped_column()",
            stored='sa.Column("nickname", sa.Text(), nullable=True),',
        ),
        _SEES,
        "every_column_says",
        "unclassed_thing.nickname: nobody has said whether it holds personal data",
    ),
    "undrawn": (
        _with_things("undrawn", stored='sa.Column("colour", sa.BigInteger(), nullable=True),'),
        _SEES,
        "migrations_lead_from_every_revision",
        "models and migrations differ",
    ),
    "lossy": (
        _with_things("lossy")
        | {
            "listeners.py": """
                import sqlalchemy as sa
                from kernel.hooks import answers
                from acme_lossy.models import Thing

                @answers
                async def switched_on(work) -> None:
                    "Begin anew."
                    await work.execute(sa.delete(Thing).where(Thing.business_id == work.business_id))
            """
        },
        _SEES,
        "its_data_outlives",
        "switching it on again changed rows of lossy_thing; keep them",
    ),
    "stubborn": (
        _with_things("stubborn")
        | {
            "jobs.py": """
                from kernel.jobs import job

                @job("stubborn.din")
                async def din(work, payload):
                    "Make din."
            """
        },
        _SEES,
        "switched_off_it_answers_nothing",
        "GET /api/v1/stubborn/things: answers 200 though the plugin is off; 404 is due",
    ),
    "leaky": (
        _with_things("leaky", all_=_EVERYBODYS),
        _SEES,
        "no_row_of_another_business",
        "of another business; name business_id in it",
    ),
    "chatty": (
        _with_things("chatty", each=_PER_ROW),
        _SEES,
        "lists_ask_no_question_for_each_row",
        "read what rows need once for all of them",
    ),
    "losing": (
        _with_things("losing")
        | {
            "migrations/losing_0002.py": """
                from alembic import op

                revision = "losing_0002"
                down_revision = "losing_0001"
                requires: tuple[str, ...] = ()


                def upgrade() -> None:
                    op.execute("DELETE FROM losing_thing")
            """
        },
        _SEES,
        "its_rows_outlive_an_upgrade",
        "rows of losing_thing that stood there at losing_0001 are gone",
    ),
    "unreturned": (
        _with_things("unreturned"),
        _SEES,
        "its_data_comes_back_after",
        "uninstalling and restoring it changed rows of unreturned_thing",
    ),
    **BROKEN_PAGES,
    "slow": (
        {
            "listeners.py": """
                import time
                from kernel.hooks import answers

                @answers
                def price_line(line):
                    "Think."
                    time.sleep(0.02)
            """
        },
        'depends=("sales>=0.1",)',
        "answers_to_hooks_keep_to_their_time",
        "10 ms are allowed",
    ),
    "wordy": (
        {
            "listeners.py": """
                from kernel.hooks import answers

                @answers
                def price_line(line):
                    "Say what no price can be made of."
                    return "ten percent"
            """
        },
        'depends=("sales>=0.1",)',
        "answers_to_hooks_keep_to_their_time",
        "by the hook's own policy (skip, at most 500 ms)",
    ),
}
"""Name → its files, more of its manifest, a part of the name of the test that must fail, and of what it must say."""


def install(into: Path) -> None:
    """Write every broken plugin into a folder that is on the path, as an installer would."""
    for name, (files, manifest, _, _) in BROKEN.items():
        about = f'"{name}", "0.1.0", "{name.title()}", "Breaks a rule."'
        more = f", {manifest.format(name=name)}" if manifest else ""
        plugin = f"from kernel.plugin import Permission, Plugin\nPLUGIN = Plugin({about}{more})\n"
        _write(into / f"acme_{name}" / "__init__.py", plugin)
        _write(into / f"acme_{name}" / "docs" / "index.md", "# It\n", words=None)
        for path, text in files.items():
            _write(into / f"acme_{name}" / path, text, "Breaks a rule." if path.endswith(".py") else None)
        about_it = into / f"acme_{name}-0.1.0.dist-info"
        _write(about_it / "METADATA", f"Metadata-Version: 2.1\nName: acme-{name}\nVersion: 0.1.0\n", words=None)
        _write(about_it / "entry_points.txt", f"[duka.plugins]\n{name} = acme_{name}:PLUGIN\n", words=None)


def _write(path: Path, text: str, words: str | None = "Breaks a rule.") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    body = textwrap.dedent(text).strip() + "\n"
    path.write_text(body if words is None else f'"""{words}"""\n\n{body}', encoding="utf-8")
