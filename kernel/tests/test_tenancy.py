"""A business sees and writes its own rows only: by the ORM's fence, by the database's, and by the API (promise P20)."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from kernel.auth.models import Location
from kernel.db import Base, Phase, new_id
from kernel.db.tables import Audit
from kernel.errors import NotFound
from kernel.registry import Registry
from kernel.settings import Settings
from kernel.testing.box import Box
from kernel.tests.probes.stock.models import Move, Paper
from kernel.work import Work
from kernel.work.tenancy import TenancyBroken

ROLE = "duka_app"


def tables(registry: Registry, *, owned: bool | None = None, append_only: bool | None = None) -> list[sa.Table]:
    """The tables of the kernel and of the plugins of this run."""
    prefixes = ("kernel_", *(f"{name}_" for name in registry.plugins))
    return [
        table
        for table in Base.metadata.sorted_tables
        if table.name.startswith(prefixes)
        and owned in (None, not table.info.get("global"))
        and append_only in (None, bool(table.info.get("append_only")))
    ]


@pytest_asyncio.fixture
async def raw(box: Box, box_settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """The database's own login, next to Duka's."""
    if not box.deployment.database.is_postgres:
        pytest.skip("row-level security is PostgreSQL's")
    url = sa.make_url(box_settings.database_url)
    connection = await asyncpg.connect(
        host=url.query["host"], port=int(str(url.query.get("port", 5432))), user="postgres", database=url.database
    )
    yield connection
    await connection.close()


async def become(raw: asyncpg.Connection, business: uuid.UUID | None) -> None:
    await raw.execute(f"SET ROLE {ROLE}")
    await raw.execute(f"SELECT set_config('app.business', '{business or ''}', false)")


async def test_the_role_sees_the_rows_of_its_business_and_no_other(box: Box, raw: asyncpg.Connection) -> None:
    every = await raw.fetch("SELECT DISTINCT business_id FROM kernel_location")
    assert {row["business_id"] for row in every} == {box.shop.id, box.other.id}  # the login itself is not bound
    for business in (box.shop.id, box.other.id):
        await become(raw, business)
        seen = await raw.fetch("SELECT DISTINCT business_id FROM kernel_location")
        assert {row["business_id"] for row in seen} == {business}
    for nobody in (None, uuid.UUID(int=0), uuid.uuid4()):
        await become(raw, nobody)
        assert await raw.fetchval("SELECT count(*) FROM kernel_location") == 0


async def test_the_role_can_neither_insert_nor_move_a_row_into_another_business(
    box: Box, raw: asyncpg.Connection
) -> None:
    await become(raw, box.shop.id)
    insert = "INSERT INTO kernel_series (business_id, series, last) VALUES ($1, 'x', 1)"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await raw.execute(insert, box.other.id)
    await raw.execute(insert, box.shop.id)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await raw.execute("UPDATE kernel_series SET business_id = $1", box.other.id)
    await become(raw, box.other.id)
    assert await raw.execute("UPDATE kernel_series SET last = 9") == "UPDATE 0"
    assert await raw.execute("DELETE FROM kernel_series") == "DELETE 0"


async def test_every_table_of_a_business_is_fenced_and_granted_no_more_than_it_needs(
    raw: asyncpg.Connection, registry: Registry
) -> None:
    facts = {
        row["relname"]: row
        for row in await raw.fetch(
            "SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity, pg_get_userbyid(c.relowner) AS owner,"
            " (SELECT array_agg(p.polcmd::text || pg_get_expr(p.polqual, p.polrelid) || '|'"
            "   || pg_get_expr(p.polwithcheck, p.polrelid)) FROM pg_policy p WHERE p.polrelid = c.oid) AS policies,"
            " (SELECT array_agg(privilege_type::text) FROM information_schema.role_table_grants g"
            f"   WHERE g.table_name = c.relname AND g.grantee = '{ROLE}') AS granted"
            " FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace"
        )
    }
    for table in tables(registry):
        found = facts[table.name]
        if table.info.get("global"):
            continue
        assert "business_id" in table.primary_key.columns, table.name
        assert found["relrowsecurity"], table.name
        assert found["relforcerowsecurity"], table.name
        [policy] = found["policies"]
        using, _, check = policy.partition("|")
        assert policy.startswith("*"), "the policy must hold for every command"
        assert using.removeprefix("*") == check
        assert "app.business" in check
        wanted = ["INSERT", "SELECT"] if table.info.get("append_only") else ["DELETE", "INSERT", "SELECT", "UPDATE"]
        assert sorted(found["granted"]) == wanted, table.name
    for name, found in facts.items():
        assert found["owner"] != ROLE, name
        assert not {"TRUNCATE", "TRIGGER", "REFERENCES"} & set(found["granted"] or ()), name
        if name.endswith("_schema"):
            assert found["granted"] == ["SELECT"], "the role may see which migrations have run, and rewrite none"


async def test_unique_constraints_and_references_stay_within_a_business(registry: Registry) -> None:
    for table in tables(registry, owned=True):
        for constraint in table.constraints:
            if isinstance(constraint, sa.UniqueConstraint | sa.PrimaryKeyConstraint):
                assert constraint.columns.keys()[0] == "business_id", f"{table.name}: {constraint.name}"
            if isinstance(constraint, sa.ForeignKeyConstraint):
                assert constraint.column_keys[0] == "business_id", f"{table.name}: {constraint.name}"
    named = {table.name for table in tables(registry, owned=False)}
    assert named == {
        "kernel_user", "kernel_membership", "kernel_business", "kernel_sign_in", "kernel_refresh_token",
        "kernel_release", "kernel_epoch", "kernel_deployment_setting", "kernel_job", "kernel_schedule", "kernel_limit",
        "kernel_second_factor", "kernel_recovery_code",
        "kernel_device", "kernel_mail_token", "kernel_audit_watch",
    }  # fmt: skip


async def test_the_role_owns_nothing_and_passes_no_fence(box: Box, raw: asyncpg.Connection) -> None:
    role = await raw.fetchrow(
        "SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole, rolcanlogin, rolreplication FROM pg_roles"
        " WHERE rolname = $1",
        ROLE,
    )
    assert not any(role.values())
    assert await raw.fetchval("SELECT count(*) FROM pg_auth_members WHERE member = $1::regrole", ROLE) == 0
    await become(raw, box.shop.id)
    for refused in (
        "ALTER TABLE kernel_location DISABLE ROW LEVEL SECURITY",
        "DROP POLICY tenant ON kernel_location",
        "TRUNCATE kernel_location",
        "DROP TABLE kernel_location",
        "CREATE TABLE mine (id int)",
        "UPDATE kernel_audit SET reason = 'x'",
        "DELETE FROM kernel_audit",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await raw.execute(refused)


async def test_every_transaction_wears_the_role_and_leaves_nothing_behind(box: Box) -> None:
    database = box.deployment.database
    if not database.is_postgres:
        pytest.skip("roles are PostgreSQL's")
    for phase in Phase:
        transaction = await database.open(phase, box.shop.id)
        row = (
            await transaction.execute(sa.text("SELECT current_user, current_setting('app.business'), pg_backend_pid()"))
        ).one()
        assert tuple(row)[:2] == (ROLE, str(box.shop.id))
        await transaction.close()
        async with database.writer.connect() as connection:
            after = await connection.execute(sa.text("SELECT current_user, current_setting('app.business', true)"))
            assert tuple(after.one()) == ("postgres", "")


async def test_a_reading_transaction_cannot_write(box: Box) -> None:
    async with box.deployment.database.reading(box.shop.id) as transaction:
        if box.deployment.database.is_postgres:
            with pytest.raises(DBAPIError, match="read-only"):
                await transaction.execute(sa.text("DELETE FROM kernel_series"))


@pytest.mark.parametrize("deed", ["UPDATE kernel_audit SET reason = 'x'", "DELETE FROM kernel_audit"])
async def test_books_cannot_be_edited_even_by_the_owner_of_the_tables(
    box: Box, deed: str, box_settings: Settings
) -> None:
    async def leave(work: Work) -> None:
        work.audit(subject="something", reason="to be kept")

    await box.act(leave)
    engine = box.deployment.database.writer
    async with engine.connect() as connection:
        with pytest.raises(DBAPIError, match="append-only"):
            await connection.execute(sa.text(deed))
    assert await count(box, Audit) > 0


async def test_every_book_of_every_plugin_refuses_edits(box: Box, registry: Registry) -> None:
    books = tables(registry, append_only=True)
    assert {"kernel_audit", "probe_stock_move"} <= {table.name for table in books}
    names = "SELECT tgname FROM pg_trigger" if box.deployment.database.is_postgres else "SELECT name FROM sqlite_master"
    async with box.deployment.database.writer.connect() as connection:
        found = set((await connection.execute(sa.text(names))).scalars())
    for table in books:
        if box.deployment.database.is_postgres:
            assert f"{table.name}_append_only" in found
        else:
            assert {f"{table.name}_no_update", f"{table.name}_no_delete"} <= found


async def count(box: Box, model: Any, shop: str = "mama-njeri") -> int:
    async def read(work: Work) -> int:
        counted = sa.select(sa.func.count()).select_from(model).where(model.business_id == work.business_id)
        return int((await work.execute(counted)).scalar_one())

    return await box.look(read, shop=shop)


async def test_the_orm_reads_changes_and_deletes_only_its_own_rows(box: Box) -> None:
    async def make(work: Work) -> uuid.UUID:
        paper = Paper(number="1", words=work.shop.slug)
        work.session.add(paper)
        await work.session.flush()
        return paper.id

    mine, theirs = await box.act(make), await box.act(make, shop="sharma-kirana")

    async def meddle(work: Work) -> None:
        papers = (await work.session.execute(sa.select(Paper))).scalars().all()
        assert [paper.words for paper in papers] == [work.shop.slug]
        assert papers[0].business_id == work.business_id
        counted = await work.session.scalar(sa.select(sa.func.count()).select_from(Paper))
        assert counted == 1
        aliased = sa.orm.aliased(Paper)
        assert len((await work.session.execute(sa.select(aliased))).all()) == 1
        other = theirs if work.business_id == box.shop.id else mine
        assert (await work.session.execute(sa.select(Paper).where(Paper.id == other))).first() is None
        changed = await work.session.execute(sa.update(Paper).values(words="changed"))
        assert changed.rowcount == 1  # type: ignore[attr-defined]
        with pytest.raises(NotFound):
            await work.get(Paper, other)

    await box.act(meddle)
    assert await words(box, "sharma-kirana") == ["sharma-kirana"]
    await box.act(meddle, shop="sharma-kirana")
    assert await words(box, "mama-njeri") == ["changed"]


async def words(box: Box, shop: str) -> list[str]:
    async def read(work: Work) -> list[str]:
        found = await work.execute(sa.select(Paper.words).where(Paper.business_id == work.business_id))
        return list(found.scalars())

    return await box.look(read, shop=shop)


async def test_the_orm_refuses_to_write_a_row_of_another_business(box: Box) -> None:
    async def smuggle(work: Work) -> None:
        work.session.add(Paper(business_id=box.other.id, id=new_id(), number="1"))

    with pytest.raises(TenancyBroken):
        await box.act(smuggle)
    assert await count(box, Paper, "sharma-kirana") == 0


@pytest.mark.parametrize("method", ["GET", "PATCH"])
async def test_another_businesss_id_looks_like_one_that_does_not_exist(box: Box, method: str) -> None:
    foreign = await box.location("kilimani", "sharma-kirana")
    owner = box.client("owner")
    answers = []
    for id_ in (foreign, uuid.uuid4()):
        how: dict[str, Any] = (
            {"json": {"name": "Mine now"}, "headers": {"If-Match": '"1"'}} if method == "PATCH" else {}
        )
        answer = await owner.send(method, f"/api/v1/locations/{id_}", **how)
        said = answer.json()
        said.pop("request_id")
        answers.append((answer.status_code, said, sorted(answer.headers)))
    assert answers[0] == answers[1]
    assert answers[0][0] == 404
    assert await location_names(box) == {"Kilimani", "Store room"}


async def location_names(box: Box) -> set[str]:
    async def read(work: Work) -> set[str]:
        return set((await work.execute(sa.select(Location.name))).scalars())

    return await box.look(read, shop="sharma-kirana")


async def test_a_token_for_one_business_lists_nothing_of_another(box: Box) -> None:
    for path in ("/api/v1/users", "/api/v1/roles", "/api/v1/locations", "/api/v1/jobs", "/api/v1/businesses"):
        mine = (await box.client("owner").get(path, params={"limit": 200})).json()["items"]
        theirs = (await box.client("owner", "sharma-kirana").get(path, params={"limit": 200})).json()["items"]
        assert not {one["id"] for one in mine} & {one["id"] for one in theirs}, path
        assert path == "/api/v1/jobs" or (mine and theirs), path


async def test_a_move_is_counted_for_its_business_only(box: Box) -> None:
    async def book(work: Work) -> None:
        work.insert(Move, {"id": new_id(), "product": "x", "amount": 1})

    await box.act(book)
    assert (await count(box, Move), await count(box, Move, "sharma-kirana")) == (1, 0)
