"""Operators and businesses (P20): nothing is seen inside without leave; suspending, exporting, deleting."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import uuid
import zipfile
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from kernel.app.purging import purge_given_up
from kernel.audit import Sealer
from kernel.auth import look
from kernel.auth.businesses.making import make_user
from kernel.auth.identity import standing_of_business
from kernel.auth.models import SignIn, User
from kernel.auth.secrets.tokens import Claims, make_access_token
from kernel.db import Base, new_id
from kernel.db.tables import Audit, Business, Job
from kernel.jobs import Runner
from kernel.plugin import ROLES
from kernel.testing.box import Box, Client
from kernel.work import Work

HERE = "/api/v1/operating/businesses/mama-njeri"
WHY = {"reason": "unpaid since March"}
SUPPORT = "/api/v1/support-access"


async def an_operator(box: Box, business: uuid.UUID | None = None) -> Client:
    """An operator who works for no business."""

    async def make(work: Work) -> Claims:
        user = await make_user(work, email="op@duka.example", name="Op", password_hash="none", is_operator=True)
        sign_in = new_id()
        await work.execute(sa.insert(SignIn).values(id=sign_in, user_id=user, created_at=work.now))
        return Claims(user, sign_in, business)

    claims = await box.act(make)
    token = make_access_token(claims, box.deployment.secret, box.clock(), dt.timedelta(days=30))
    return Client(box.http, token)


async def entered(box: Box, operator: Client) -> Client:
    answer = await operator.post(f"{HERE}/enter")
    assert answer.status_code == 200, answer.text
    return Client(box.http, answer.json()["access_token"])


async def let_in(box: Box, hours: float = 5, **more: Any) -> httpx.Response:
    until = (box.clock() + dt.timedelta(hours=hours)).isoformat()
    return await box.client("owner").post(SUPPORT, {"until": until, "reason": "look at the stock", **more})


async def trail(box: Box, shop: str | None = "mama-njeri") -> list[Any]:
    async def read(work: Work) -> list[Any]:
        mine = sa.select(*Audit.__table__.c).where(Audit.business_id == work.business_id).order_by(Audit.id)
        return list((await work.execute(mine)).all())

    return await look(box.deployment, box.shops[shop].id if shop else None, read)


async def role_id(box: Box, code: str) -> str:
    roles = (await box.client("owner").get("/api/v1/roles")).json()["items"]
    found: str = next(one["id"] for one in roles if one["code"] == code)
    return found


async def test_an_operator_sees_which_businesses_there_are_and_nothing_inside(box: Box) -> None:
    operator = await an_operator(box)
    listed = (await operator.get("/api/v1/operating/businesses")).json()["items"]
    assert [(one["slug"], one["state"]) for one in listed] == [("mama-njeri", "active"), ("sharma-kirana", "active")]
    assert (await operator.get(HERE)).json()["name"] == "Mama Njeri Stores"
    assert (await operator.get("/api/v1/operating/businesses/no-such")).status_code == 404
    assert (await operator.get("/api/v1/operating/businesses", params={"state": "suspended"})).json()["items"] == []
    inside = Client(box.http, (await an_operator_of(box)).token)
    for path in ("users", "locations", "audit", "jobs", "roles", "auth/me"):
        assert (await inside.get(f"/api/v1/{path}")).status_code == 401, path
    refused = await operator.post(f"{HERE}/enter")
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")


async def an_operator_of(box: Box) -> Client:
    """A token made out to a business that the operator was never let into."""

    async def find(work: Work) -> Claims:
        row = (
            await work.execute(
                sa.select(User.id, SignIn.id.label("sign_in"))
                .join(SignIn, SignIn.user_id == User.id)
                .where(User.email == "op@duka.example")
            )
        ).one()
        return Claims(row.id, row.sign_in, box.shop.id)

    token = make_access_token(await box.look(find), box.deployment.secret, box.clock(), dt.timedelta(days=1))
    return Client(box.http, token)


async def test_businesses_are_found_by_what_stands_in_their_names_and_by_nothing_else(box: Box) -> None:
    operator = await an_operator(box)
    for words, count in (("njeri", 1), ("%", 0), ("_", 0), ("m%a", 0)):
        found = (await operator.get("/api/v1/operating/businesses", params={"q": words})).json()["items"]
        assert len(found) == count, words


@pytest.mark.parametrize("role", [*ROLES, None])
async def test_only_operators_operate(box: Box, role: str | None) -> None:
    client = box.client(role)
    for method, path in (("GET", ""), ("POST", "/suspend"), ("POST", "/export"), ("POST", "/delete")):
        answer = await client.send(method, HERE + path, json=WHY if method == "POST" else None)
        assert answer.status_code == (403 if role else 401), path
    assert (await client.get("/api/v1/operating/audit")).status_code == (403 if role else 401)


async def test_let_in_without_a_role_an_operator_looks_and_changes_nothing(box: Box) -> None:
    operator = await an_operator(box)
    granted = await let_in(box)
    assert granted.status_code == 201, granted.text
    inside = await entered(box, operator)
    me = (await inside.get("/api/v1/auth/me")).json()
    assert me["business"] is None or me["business"]["slug"] == "mama-njeri"
    assert (await inside.get("/api/v1/locations")).status_code == 200
    assert (await inside.get("/api/v1/audit")).status_code == 200
    place = {"code": "x", "name": "X", "kind": "storefront"}
    refused = await inside.post("/api/v1/locations", place)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    rows = [row for row in await trail(box) if row.deed == "operating.enter_business"]
    assert [(row.supporting, row.actor_name, row.reason) for row in rows] == [(True, "Op", "look at the stock")]
    assert rows[0].request_id is not None


async def test_let_in_with_a_role_all_an_operator_does_is_marked(box: Box) -> None:
    operator = await an_operator(box)
    granted = await let_in(box, role_id=await role_id(box, "owner"))
    assert granted.status_code == 201, granted.text
    inside = await entered(box, operator)
    place = {"code": "x", "name": "X", "kind": "storefront"}
    assert (await inside.post("/api/v1/locations", place)).status_code == 201
    row = (await trail(box))[-1]
    assert (row.deed, row.supporting, row.actor_name) == ("locations.add_location", True, "Op")
    shown = (await box.client("owner").get("/api/v1/audit", params={"supporting": "true"})).json()["items"]
    assert {one["deed"] for one in shown} == {"locations.add_location", "operating.enter_business"}
    until = (box.clock() + dt.timedelta(hours=70)).isoformat()
    longer = await inside.post(SUPPORT, {"until": until, "reason": "more"})
    assert longer.status_code == 403, "whoever was let in must not stay by their own leave"
    assert (await inside.send("DELETE", SUPPORT)).status_code == 403
    person = {"email": "op2@duka.example", "name": "Op", "password": "a long password", "role_id": str(uuid.uuid4())}
    assert (await inside.post("/api/v1/users", person)).status_code == 403, "nor make a way in that outlasts it"


async def test_support_ends_by_itself_and_by_revoking_at_the_next_request(box: Box) -> None:
    operator = await an_operator(box)
    assert (await let_in(box, hours=0.1)).status_code == 201
    inside = await entered(box, operator)
    box.clock.pass_by(minutes=5)
    assert (await inside.get("/api/v1/locations")).status_code == 200
    box.clock.pass_by(minutes=1)
    assert (await inside.get("/api/v1/locations")).status_code == 401
    assert (await operator.post(f"{HERE}/enter")).status_code == 403
    assert (await let_in(box)).status_code == 201
    inside = await entered(box, operator)
    assert (await inside.get("/api/v1/locations")).status_code == 200
    assert (await box.client("owner").send("DELETE", SUPPORT)).status_code == 204
    assert (await inside.get("/api/v1/locations")).status_code == 401
    assert (await box.client("owner").send("DELETE", SUPPORT)).status_code == 404
    assert (await box.client("owner").get(SUPPORT)).json()["is_open"] is False


async def test_support_is_granted_by_owners_for_three_days_at_most(box: Box) -> None:
    assert (await let_in(box, hours=72)).status_code == 201
    assert (await let_in(box, hours=72.1)).status_code == 422
    assert (await let_in(box, hours=-1)).status_code == 422
    assert (await let_in(box, role_id=str(uuid.uuid4()))).status_code == 404
    assert (await let_in(box, reason="")).status_code == 422
    until = (box.clock() + dt.timedelta(hours=1)).isoformat()
    for role in ROLES[1:]:
        answer = await box.client(role).post(SUPPORT, {"until": until, "reason": "mine"})
        assert answer.status_code == 403, role
    granted = (await trail(box))[0:]
    assert [row.reason for row in granted if row.deed.endswith("grant_support_access")] == ["look at the stock"]


async def test_let_into_one_business_an_operator_is_in_no_other(box: Box) -> None:
    operator = await an_operator(box)
    assert (await let_in(box)).status_code == 201
    assert (await operator.post("/api/v1/operating/businesses/sharma-kirana/enter")).status_code == 403
    inside = await entered(box, operator)
    mine = (await inside.get("/api/v1/locations")).json()["items"]
    theirs = (await box.client("owner", "sharma-kirana").get("/api/v1/locations")).json()["items"]
    assert mine
    assert not {one["id"] for one in mine} & {one["id"] for one in theirs}


async def test_somebody_who_is_no_operator_gains_nothing_by_support_access(box: Box) -> None:
    assert (await let_in(box)).status_code == 201
    person = box.people["sharma-kirana", "cashier"]
    assert person.id
    assert person.session_id
    claims = Claims(person.id, person.session_id, box.shop.id)
    token = make_access_token(claims, box.deployment.secret, box.clock(), dt.timedelta(hours=1))
    assert (await Client(box.http, token).get("/api/v1/locations")).status_code == 401


async def test_a_suspended_business_tells_its_people_so_and_goes_on_as_it_was(box: Box) -> None:
    operator = await an_operator(box)
    suspended = await operator.post(f"{HERE}/suspend", WHY)
    assert (suspended.status_code, suspended.json()["state"]) == (200, "suspended")
    for role in ROLES:
        client = box.client(role)
        for path in ("locations", "probe_stock/papers", "no/such/path"):
            answer = await client.get(f"/api/v1/{path}")
            assert (answer.status_code, answer.json()["code"]) == (403, "business-suspended"), path
        assert (await client.get("/api/v1/auth/me")).status_code == 200
    assert (await box.client("owner", "sharma-kirana").get("/api/v1/locations")).status_code == 200
    assert (await operator.post(f"{HERE}/suspend", WHY)).status_code == 409
    resumed = await operator.post(f"{HERE}/resume", {"reason": "paid"})
    assert (resumed.status_code, resumed.json()["state"]) == (200, "active")
    assert (await box.client("owner").get("/api/v1/locations")).status_code == 200
    assert (await operator.post(f"{HERE}/resume", WHY)).json()["code"] == "not-suspended"
    told = [(row.deed, row.reason, row.actor_name) for row in await trail(box) if row.deed.startswith("operating.")]
    assert told == [("operating.suspend_business", WHY["reason"], "Op"), ("operating.resume_business", "paid", "Op")]
    above = [row.deed for row in await trail(box, None) if row.deed.startswith("operating.")]
    assert above == ["operating.suspend_business", "operating.resume_business"]
    shown = (await operator.get("/api/v1/operating/audit")).json()["items"]
    assert [one["deed"] for one in shown if one["deed"].startswith("operating.")] == above[::-1]


async def test_a_deed_that_began_before_does_not_end_after_the_suspension(box: Box) -> None:
    operator = await an_operator(box)

    async def slow(work: Work) -> None:
        work.audit(subject="slow:1")
        if work.standing.suspended:
            return
        if not happened:
            happened.append(await operator.post(f"{HERE}/suspend", WHY))
        await work.write()

    happened: list[httpx.Response] = []
    await box.act(slow, read_first=True)
    assert happened[0].status_code == 200
    row = next(row for row in await trail(box) if row.subject == "slow:1")
    assert row.epoch > 1, "it ran again, on the new ground"


async def test_the_jobs_of_a_suspended_business_wait(box: Box) -> None:
    async def later(work: Work) -> None:
        work.later("kernel.forget_old_keys", {})

    async def pending(work: Work) -> int:
        here = sa.select(sa.func.count()).where(Job.business_id == work.business_id, Job.state == "pending")
        return int((await work.execute(here)).scalar_one())

    operator = await an_operator(box)
    runner = Runner(box.deployment, standing_of_business)
    await runner.run_due()
    for shop in box.shops:
        await box.act(later, shop=shop)
    await operator.post(f"{HERE}/suspend", WHY)
    await runner.run_due()
    assert (await box.look(pending), await box.look(pending, shop="sharma-kirana")) == (1, 0)
    await operator.post(f"{HERE}/resume", WHY)
    await runner.run_due()
    assert await box.look(pending) == 0


async def test_an_archive_holds_all_of_the_business_and_no_secrets(box: Box) -> None:
    operator = await an_operator(box)
    refused = await operator.post(f"{HERE}/export", WHY)
    assert (refused.status_code, refused.json()["code"]) == (409, "not-suspended")
    await operator.post(f"{HERE}/suspend", WHY)
    answer = await operator.post(f"{HERE}/export", WHY)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    manifest = json.loads(archive.read("manifest.json"))
    assert manifest["business"]["slug"] == "mama-njeri"
    for name, said in manifest["tables"].items():
        lines = archive.read(f"tables/{name}.jsonl")
        assert (said["rows"], said["sha256"]) == (len(lines.splitlines()), hashlib.sha256(lines).hexdigest())
    stored = await counted(box, box.shop.id)
    kept = {name: said["rows"] for name, said in manifest["tables"].items() if name in stored}
    assert kept["kernel_location"] == stored["kernel_location"] == 2
    assert kept["kernel_role"] == stored["kernel_role"]
    text = "".join(archive.read(name).decode() for name in archive.namelist())
    assert "owner@mama-njeri.example" in text
    assert "sharma" not in text.lower()
    assert "argon2" not in text
    assert "password" not in text
    row = next(row for row in (await trail(box))[::-1] if row.deed == "operating.export_business")
    assert row.facts["sha256"] == hashlib.sha256(answer.content).hexdigest()


async def test_a_business_is_deleted_only_suspended_exported_and_named_twice(box: Box) -> None:
    operator = await an_operator(box)
    named = WHY | {"confirm": "mama-njeri"}
    codes = []
    codes.append((await operator.post(f"{HERE}/delete", named)).json()["code"])
    await operator.post(f"{HERE}/suspend", WHY)
    codes.append((await operator.post(f"{HERE}/delete", named)).json()["code"])
    await operator.post(f"{HERE}/export", WHY)
    codes.append((await operator.post(f"{HERE}/delete", WHY | {"confirm": "sharma-kirana"})).json()["code"])
    assert codes == ["not-suspended", "not-exported", "validation"]
    await operator.post(f"{HERE}/resume", WHY)
    box.clock.pass_by(minutes=1)
    await operator.post(f"{HERE}/suspend", WHY)
    assert (await operator.post(f"{HERE}/delete", named)).json()["code"] == "not-exported"
    assert await purge_given_up(box.deployment) == []


async def test_of_a_deleted_business_a_tombstone_stays_and_of_the_others_everything(box: Box) -> None:
    operator = await an_operator(box)
    await Sealer(box.deployment, standing_of_business).seal_all()
    theirs = await counted(box, box.other.id)
    assert sum((await counted(box, box.shop.id)).values()) > 20
    await operator.post(f"{HERE}/suspend", WHY)
    await operator.post(f"{HERE}/export", WHY)
    given_up = await operator.post(f"{HERE}/delete", WHY | {"confirm": "mama-njeri"})
    assert (given_up.status_code, given_up.json()["state"]) == (202, "deleting")
    assert (await operator.post(f"{HERE}/resume", WHY)).json()["code"] == "being-deleted"
    assert await purge_given_up(box.deployment) == ["mama-njeri"]
    left = {name: rows for name, rows in (await counted(box, box.shop.id)).items() if rows}
    assert left == {"kernel_business": 1}
    assert await counted(box, box.other.id) == theirs
    tomb = (await operator.get(HERE)).json()
    assert (tomb["state"], tomb["deleted_at"] is not None) == ("deleted", True)
    assert (await box.client("owner").get("/api/v1/locations")).status_code == 401
    buried = (await trail(box, None))[-1]
    assert (buried.deed, buried.subject) == ("operating.delete_business", f"business:{box.shop.id}")
    assert buried.facts["last_number"] > 0
    assert await purge_given_up(box.deployment) == []


async def test_books_refuse_edits_after_a_deletion_as_before(box: Box) -> None:
    await test_of_a_deleted_business_a_tombstone_stays_and_of_the_others_everything(box)
    engine = create_async_engine(box.deployment.settings.url)
    try:
        for deed in ("DELETE FROM kernel_audit", "UPDATE kernel_audit SET reason = 'as if'"):
            async with engine.connect() as connection:
                with pytest.raises(DBAPIError, match="append-only"):
                    await connection.execute(sa.text(deed))
    finally:
        await engine.dispose()


async def counted(box: Box, business: uuid.UUID) -> Mapping[str, int]:
    """How many rows a business has in every table, seen by the database's own login."""
    prefixes = ("kernel_", *(f"{name}_" for name in box.deployment.registry.plugins))
    engine = create_async_engine(box.deployment.settings.url)
    found = {}
    try:
        async with engine.connect() as connection:
            for table in Base.metadata.sorted_tables:
                owner = table.c.get("business_id", table.c.get("id") if table.name == Business.__tablename__ else None)
                if table.name.startswith(prefixes) and owner is not None:
                    rows = sa.select(sa.func.count()).select_from(table).where(owner == business)
                    found[table.name] = int((await connection.execute(rows)).scalar_one())
    finally:
        await engine.dispose()
    return found
