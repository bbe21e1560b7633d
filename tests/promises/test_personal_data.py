"""P41: everything about one person is handed out, or gone from every table; the books stay what they were."""

from __future__ import annotations

import json
import logging
import uuid
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from kernel.auth.accounts.erasing import erase_account
from kernel.cli.personal import erase_everybody_again
from kernel.db.personal import faults, impersonal, kept, names, personal
from kernel.db.tables import Audit, Erased
from kernel.errors import DukaError, StillOpen
from kernel.personal import Tombstone, erasing, tables_of, tombstones, unreached
from kernel.registry import Registry
from kernel.testing.box import Box
from kernel.tests.command_line import duka
from kernel.work import Work
from tests.promises.filling import Filling
from tests.promises.people import SHOP, Seeded, a_customer_everywhere, dump, figures, hits

CUSTOMERS = "/api/v1/customers/customers"
REASON = {"reason": "asked for it in writing"}


def test_every_column_of_every_table_is_classed(registry: Registry) -> None:
    tables = tables_of(registry)
    found = [*faults(tables), *unreached(tables)]
    assert not found, "\n".join(found)
    assert len(tables) > 35


@pytest.mark.parametrize(
    ("column", "append_only", "said"),
    [
        (sa.Column("nickname", sa.Text()), False, "nobody has said"),
        (sa.Column("extra", sa.JSON()), False, "nobody has said"),
        (sa.Column("code", sa.JSON()), False, "nobody has said"),
        (sa.Column("photo", sa.LargeBinary()), False, "nobody has said"),
        (sa.Column("seen_by", sa.Uuid()), False, "is the id of a person"),
        (sa.Column("seen_by", sa.Uuid(), info=names("ghost")), False, "no table says"),
        (sa.Column("nickname", sa.Text(), info=personal("name", of="owner_id")), False, "which is no column"),
        (sa.Column("nickname", sa.Text(), info=personal("name", of="group_id")), False, "no walk from a person"),
        (sa.Column("nickname", sa.Text(), info=personal("name")), True, "append-only"),
        (sa.Column("nickname", sa.Text(), info=kept("name", "")), False, "without a reason"),
        (sa.Column("nickname", sa.Text(), unique=True, nullable=False, info=personal("name")), False, "is unique"),
        (sa.Column("age", sa.BigInteger(), info=personal("behaviour")), False, "only texts"),
        (sa.Column("tax_number", sa.Text()), False, "nobody has said"),
    ],
)
def test_a_column_that_nobody_classed_or_that_cannot_be_erased_is_named(
    column: sa.Column[Any], append_only: bool, said: str
) -> None:
    """The twins of the check above."""
    info = {"person": "guest", "append_only": append_only}
    own = [sa.Column("id", sa.Uuid(), primary_key=True), sa.Column("group_id", sa.Uuid())]
    fine = [sa.Column("number", sa.Text()), sa.Column("title", sa.Text(), info=impersonal("a title"))]
    table = sa.Table("probe_guest", sa.MetaData(), *own, *fine, column, info=info)
    found = [*faults([table]), *unreached([table])]
    assert [one for one in found if one.startswith(f"probe_guest.{column.name}: ") and said in one], found
    assert all(one.startswith(f"probe_guest.{column.name}: ") for one in found), found


async def test_an_erased_customer_is_nowhere_and_the_books_are_what_they_were(
    box: Box, caplog: pytest.LogCaptureFixture
) -> None:
    seeded = await a_customer_everywhere(box)
    filled = {"first e-mail": "kitale2@mail.example", "first phone": "+254712345672"}
    before, sums = await dump(box), await figures(box)
    assert {name.partition(" in ")[0] for name in hits(before, seeded.canaries)} == seeded.canaries.keys()
    assert len(seeded.canaries) >= 15
    assert hits(before, filled), "the stored answers of before the change hold what it was"
    with caplog.at_level(logging.DEBUG):
        answer = await box.client("owner").post(f"{CUSTOMERS}/{seeded.id}/erase", REASON)
    assert answer.status_code == 200, answer.text
    after = await dump(box)
    assert not hits(after, seeded.canaries | filled)
    assert not hits({"the answer": answer.text}, seeded.canaries)
    assert await figures(box) == sums
    changed = answer.json()["changed"]
    assert {"customers_customer", "sales_sale", "kernel_idempotency", "kernel_job_payload"} <= changed.keys()
    assert all("law" in why or len(why) > 20 for why in answer.json()["kept"].values())
    shown = (await box.client("cashier").get(f"{CUSTOMERS}/{seeded.id}")).json()
    assert shown["name"].startswith("erased-")
    assert (shown["phone"], shown["email"], shown["note"], shown["ext"]) == (None, None, "", {})
    assert not shown["is_active"]


@pytest.mark.parametrize(
    ("left_out", "still"),
    [
        ("customers_customer.tax_number", "customers_customer.tax_number in customers_customer"),
        ("sales_sale.note", "sales_sale.note in sales_sale"),
        ("documents", "customers_customer.phone in kernel_idempotency"),
    ],
)
async def test_a_column_that_erasing_passes_over_is_found(
    box: Box, monkeypatch: pytest.MonkeyPatch, left_out: str, still: str
) -> None:
    """The broken twins: a marked column that is skipped, documents nobody searches."""
    seeded = await a_customer_everywhere(box)
    sound = erasing.goes

    def forgetful(column: sa.Column[Any], via: str) -> bool:
        return sound(column, via) and f"{column.table.name}.{column.name}" != left_out

    async def blind(*_: Any) -> int:
        return 0

    monkeypatch.setattr(erasing, "goes", forgetful)
    if left_out in {"documents", "sales_sale.note"}:  # else the search would find what the walk forgot
        monkeypatch.setattr(erasing, "_scrub_table", blind)
    assert (await box.client("owner").post(f"{CUSTOMERS}/{seeded.id}/erase", REASON)).status_code == 200
    assert still in hits(await dump(box), seeded.canaries)


async def test_the_archive_of_a_customer_holds_all_of_theirs_and_nothing_of_the_shops(box: Box) -> None:
    seeded = await a_customer_everywhere(box)
    other = await Filling(box, "sharma-kirana").fill()
    answer = await box.client("owner").get(f"{CUSTOMERS}/{seeded.id}/personal-data")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"] == 'attachment; filename="personal-data.json"'
    said = answer.json()
    assert (said["kind"], said["id"]) == ("customer", str(seeded.id))
    rows = {(one["table"], one["by"]): one["rows"] for one in said["tables"]}
    assert {("customers_customer", "id"), ("sales_sale", "customer_id"), ("sales_line", "sale_id")} <= rows.keys()
    assert {("payments_attempt", "customer_id"), ("payments_refund", "attempt_id")} <= rows.keys()
    assert len(rows["sales_sale", "customer_id"]) == 3
    assert len(rows["sales_line", "sale_id"]) == 6
    own = {name: value for name, value in seeded.canaries.items() if name.startswith(("customers_", "sales_sale.note"))}
    assert not [name for name, value in own.items() if value not in answer.text]
    for hidden in ("cost", "cashier", "Owner", "taken_by", "hash"):
        assert hidden not in answer.text, hidden
    assert not [one for one in other.values() if len(one) == 36 and one in answer.text]


async def test_the_archive_of_a_long_history_comes_in_pieces_and_whole(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeded = await a_customer_everywhere(box)
    path = f"{CUSTOMERS}/{seeded.id}/personal-data"
    whole = (await box.client("owner").get(path)).json()["tables"]
    monkeypatch.setattr("kernel.personal.exporting.BATCH", 1)
    assert (await box.client("owner").get(path)).json()["tables"] == whole


async def test_only_who_may_hands_a_customer_out_or_erases_them(box: Box) -> None:
    seeded = await a_customer_everywhere(box)
    before = await dump(box)
    for role in ("manager", "cashier", "stock_keeper", "accountant"):
        assert (await box.client(role).get(f"{CUSTOMERS}/{seeded.id}/personal-data")).status_code == 403
        assert (await box.client(role).post(f"{CUSTOMERS}/{seeded.id}/erase", REASON)).status_code == 403
    for shop, id_ in (("sharma-kirana", seeded.id), (SHOP, uuid.uuid4())):
        owner = box.client("owner", shop)
        assert (await owner.get(f"{CUSTOMERS}/{id_}/personal-data")).status_code == 404
        assert (await owner.post(f"{CUSTOMERS}/{id_}/erase", REASON)).status_code == 404
    refused = await box.client("owner").post(f"{CUSTOMERS}/{seeded.id}/erase", {})
    assert refused.status_code == 422
    assert await dump(box) == before


async def test_handing_out_and_erasing_are_audited_without_the_person(box: Box) -> None:
    seeded = await a_customer_everywhere(box)
    owner = box.client("owner")
    await owner.get(f"{CUSTOMERS}/{seeded.id}/personal-data")
    await owner.post(f"{CUSTOMERS}/{seeded.id}/erase", REASON)

    async def read(work: Work) -> set[tuple[Any, ...]]:
        columns = (Audit.deed, Audit.reason, Audit.actor_id)
        about = sa.and_(Audit.business_id == work.business_id, Audit.subject == f"customer:{seeded.id}")
        return {tuple(row) for row in await work.execute(sa.select(*columns).where(about))}

    actor = box.people[SHOP, "owner"].id
    assert {
        ("customers.export_person", None, actor),
        ("customers.erase_customer", REASON["reason"], actor),
    } <= await box.look(read)


async def test_a_customer_with_something_open_is_not_erased(box: Box) -> None:
    own = await Filling(box, SHOP).fill()
    path = f"{CUSTOMERS}/{own['customer_id']}/erase"
    before = await dump(box)
    refused = await box.client("owner").post(path, REASON)
    assert (refused.status_code, refused.json()["code"]) == (409, "still-open")
    assert "cart" in refused.json()["detail"]
    assert await dump(box) == before
    for held in (await box.client("owner").get("/api/v1/sales/held")).json()["items"]:
        await box.client("owner").send("DELETE", f"/api/v1/sales/held/{held['id']}")
    assert (await box.client("owner").post(path, REASON)).status_code == 200
    assert (await box.client("owner").post(path, REASON)).status_code == 200, "again does no harm"


async def test_who_was_erased_is_erased_again_after_a_restore(box: Box) -> None:
    seeded = await a_customer_everywhere(box)
    await box.client("owner").post(f"{CUSTOMERS}/{seeded.id}/erase", REASON)
    stones = await box.look(tombstones)
    assert [stone.kind for stone in stones] == ["customer", "customer"], "one of them is the filling's"
    assert str(seeded.id) not in str(stones)
    back = {"name": "Back Again", "phone": "+254799990099"}
    await box.act(lambda work: _restore(work, seeded, back))
    assert hits(await dump(box), back)
    assert await erase_everybody_again(box.deployment, []) == (2, [])
    assert not hits(await dump(box), back)


async def test_a_backup_without_tombstones_takes_them_from_a_list(box: Box) -> None:
    seeded = Seeded(uuid.UUID((await Filling(box, SHOP).fill())["customer_id"]))
    for held in (await box.client("owner").get("/api/v1/sales/held")).json()["items"]:
        await box.client("owner").send("DELETE", f"/api/v1/sales/held/{held['id']}")
    before = await erase_everybody_again(box.deployment, [])
    assert before == (1, []), "the customer whom the filling erases"
    stone = Tombstone(box.shop.id, "customer", erasing.subject_hash("customer", seeded.id))
    of_others = Tombstone(box.other.id, "customer", erasing.subject_hash("customer", seeded.id))
    unknown = Tombstone(box.shop.id, "guest", erasing.subject_hash("guest", seeded.id))
    assert await erase_everybody_again(box.deployment, [of_others, unknown]) == before
    assert await erase_everybody_again(box.deployment, [stone]) == (2, [])
    assert (await box.client("owner").get(f"{CUSTOMERS}/{seeded.id}")).json()["name"].startswith("erased-")


async def test_an_operator_erases_lists_and_erases_again_by_command(box: Box, tmp_path: Path) -> None:
    own = await Filling(box, SHOP).fill()
    settings = box.deployment.settings
    who = f"cashier@{SHOP}.example"
    code, said = await duka(settings, "personal", "erase-account", who, "--reason", "left us")
    assert (code, SHOP in said) == (1, True), said
    code, said = await duka(settings, "personal", "tombstones")
    stones = said.splitlines()
    assert [json.loads(one)["kind"] for one in stones] == ["customer"], "the customer whom the filling erases"
    stone = Tombstone(box.shop.id, "customer", erasing.subject_hash("customer", uuid.UUID(own["customer_id"])))
    kept_apart = tmp_path / "erased.jsonl"
    kept_apart.write_bytes(msgspec.json.encode(stone) + b"\n")
    code, said = await duka(settings, "personal", "erase-again", str(kept_apart))
    assert (code, "1 erased again" in said, "cart" in said) == (1, True, True), said


async def _restore(work: Work, seeded: Seeded, values: dict[str, str]) -> None:
    table = next(one for one in tables_of(work.deployment.registry) if one.name == "customers_customer")
    await work.execute(sa.update(table).where(table.c.id == seeded.id).values(values))


async def test_people_get_everything_about_themselves_and_no_secret(box: Box) -> None:
    await Filling(box, SHOP).fill()
    answer = await box.client("owner").get("/api/v1/auth/me/personal-data")
    assert answer.status_code == 200, answer.text
    rows = {(one["table"], one["by"]): one["rows"] for one in answer.json()["tables"]}
    assert rows["kernel_user", "id"][0]["email"] == f"owner@{SHOP}.example"
    assert rows["kernel_sign_in", "user_id"]
    shown = set(rows["sales_sale", "cashier_id"][0])
    assert {"id", "cashier_id", "cashier_name", "sold_at"} <= shown
    assert all(name.endswith(("id", "_at", "_date", "cashier_name")) for name in shown), shown
    assert not shown & {"customer_id", "register_id", "total", "note"}
    for hidden in ("argon2", "password_hash", "sealed", "request_hash", "Kitale customer", "total"):
        assert hidden not in answer.text, hidden


async def test_an_account_is_erased_once_its_owner_works_nowhere(box: Box) -> None:
    filling = Filling(box, SHOP)
    await filling.fill()
    cashier = box.people[SHOP, "cashier"].id
    assert cashier
    with pytest.raises(StillOpen, match=SHOP):
        await erase_account(box.deployment, cashier, reason="left")
    email = {"e-mail": f"cashier@{SHOP}.example"}
    await box.client(None).post("/api/v1/auth/login", {"username": email["e-mail"], "password": "wrong password"})
    assert hits(await dump(box), email)
    path = f"/api/v1/users/{cashier}"
    version = int((await filling.owner.get(path)).headers["etag"].strip('"'))
    assert (await filling.owner.patch(path, {"is_active": False}, version=version)).status_code == 200
    sums = await figures(box)
    await erase_account(box.deployment, cashier, reason="left")
    assert not hits(await dump(box), email)
    assert await figures(box) == sums
    shown = (await filling.owner.get(path)).json()
    assert shown["name"].startswith("erased-")
    assert shown["email"].endswith("@erased.invalid")
    assert (await box.client("cashier").get("/api/v1/auth/me")).status_code == 401


async def test_a_tombstone_cannot_be_taken_away(box: Box) -> None:
    seeded = await a_customer_everywhere(box)
    await box.client("owner").post(f"{CUSTOMERS}/{seeded.id}/erase", REASON)

    async def dig(work: Work) -> None:
        await work.execute(sa.delete(Erased).where(Erased.business_id == work.business_id))

    with pytest.raises(DukaError):
        await box.act(dig)
    assert len(await box.look(tombstones)) == 2
