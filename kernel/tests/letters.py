"""What tests read of the letters in the mail folder of a box."""

from __future__ import annotations

import re
import uuid
from email import message_from_bytes, policy
from email.message import EmailMessage

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from kernel.auth.identity import standing_of_business
from kernel.db import Base
from kernel.jobs import Runner
from kernel.testing.box import Box

TOKEN = re.compile(r"#(m_[\w-]+)")


async def post(box: Box) -> list[EmailMessage]:
    """Run the jobs that are due; the letters they sent, oldest first."""
    folder = box.deployment.settings.home_path / "mail"
    before = set(folder.glob("*.eml"))
    await Runner(box.deployment, standing_of_business).run_due()
    new = sorted(set(folder.glob("*.eml")) - before)
    return [message_from_bytes(path.read_bytes(), policy=policy.default) for path in new]


def text_of(letter: EmailMessage) -> str:
    part = letter.get_body(("plain",))
    assert part
    said: str = part.get_content()
    return said


def token_in(letter: EmailMessage) -> str:
    found = TOKEN.search(text_of(letter))
    assert found, text_of(letter)
    return found[1]


async def everything_stored(box: Box) -> str:
    """Every value of every table, as one text."""
    engine = create_async_engine(box.deployment.settings.url)
    said = []
    try:
        async with engine.connect() as connection:
            there = await connection.run_sync(lambda sync: set(sa.inspect(sync).get_table_names()))
            for table in Base.metadata.sorted_tables:
                if table.name in there:
                    said += [repr(tuple(row)) for row in (await connection.execute(sa.select(table))).all()]
    finally:
        await engine.dispose()
    return "\n".join(said)


async def role_id(box: Box, code: str, shop: str = "mama-njeri") -> str:
    roles = (await box.client("owner", shop).get("/api/v1/roles")).json()["items"]
    found: str = next(role["id"] for role in roles if role["code"] == code)
    return found


def person_id(box: Box, role: str, shop: str = "mama-njeri") -> uuid.UUID:
    id_ = box.people[shop, role].id
    assert id_
    return id_
