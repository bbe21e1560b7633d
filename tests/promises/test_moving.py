"""A business moves to another deployment whole: its rows, its numbers, its trail, its people – and nobody else's."""

from __future__ import annotations

import uuid
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from msgspec import structs

from kernel.app.archive import note_export, write_archive
from kernel.app.importing import Imported, import_business
from kernel.app.portable import FileFault, Reader, Writer, arriving
from kernel.app.portable.files import ARCHIVE, BACKUP
from kernel.app.prepare import prepare
from kernel.auth import act, look
from kernel.auth.businesses.making import make_user
from kernel.auth.businesses.operating import BeingDeleted
from kernel.auth.identity import standing_of_business
from kernel.auth.models import Membership, User
from kernel.auth.secrets.passwords import hash_password, password_matches
from kernel.db import Base
from kernel.db.private import is_secret
from kernel.db.tables import Audit, Business, BusinessPlugin, Job, LocationSetting, Schedule
from kernel.errors import AlreadyExists
from kernel.jobs import Runner
from kernel.testing.box import PASSWORD, Box, Client
from kernel.testing.servers import Postgres
from kernel.work import Deployment, Work
from kernel.work.configuring import sealed
from tests.promises.copies import DATABASES, Rows, deployed, empty_database, every_row
from tests.promises.filling import Filling
from tests.promises.keeping import PART, body, make_table
from tests.promises.till import Till


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Callable[[], Postgres]:
    """The run's PostgreSQL server, started only where it is needed."""
    return lambda: request.getfixturevalue("postgres")


async def exported(box: Box, path: Path, shop: str = "mama-njeri") -> Path:
    with arriving(path) as file:
        await write_archive(box.deployment, box.shops[shop].id, file)
    return path


def of_business(rows: Rows, business: uuid.UUID, without: tuple[str, ...] = ()) -> Rows:
    """The rows of one business in every table that an archive has."""
    return {
        name: mine
        for name, found in rows.items()
        if name not in without and (mine := [row for row in found if business in row])
    }


def unsealed(rows: Rows) -> Rows:
    """Without the secrets, which no archive holds."""
    hidden = {name: {n for n, one in enumerate(Base.metadata.tables[name].c) if is_secret(one)} for name in rows}
    return {
        name: [tuple(value for n, value in enumerate(row) if n not in hidden[name]) for row in found]
        for name, found in rows.items()
    }


LEFT_OUT = ("kernel_idempotency", "kernel_job", "kernel_job_payload", "kernel_schedule", "kernel_audit")


@pytest.mark.parametrize("target", DATABASES)
async def test_a_business_arrives_whole_and_sells_on(
    one_till: Till, target: str, tmp_path: Path, server: Callable[[], Postgres]
) -> None:
    box = one_till.box
    for _ in range(3):
        assert (await one_till.sell(one_till.cart())).status_code == 201
    path = await exported(box, tmp_path / "shop.zip")
    async with empty_database(target, tmp_path, server) as settings, deployed(box, settings) as other:
        await prepare(other)
        done = await import_business(other, path)
        assert done.is_sound, (done.broken, done.chain)
        assert "owner@mama-njeri.example" in done.made
        before = of_business(await every_row(box.deployment.settings.url), box.shop.id, LEFT_OUT)
        after = await every_row(settings.url)
        assert of_business(after, box.shop.id, LEFT_OUT) == before
        assert not [name for name, rows in after.items() for row in rows if box.other.id in row]
        await people_know_no_password(other)
        restored = Till(Box(other, box.shops, box.people), one_till.shop, one_till.place, {})
        restored.by_name = one_till.by_name
        other.secret = box.deployment.secret
        assert await trail(other, box.shop.id) == ["operating.import_business"]
        assert await trail(other, None) == ["operating.import_business"]
        assert await scheduled(other, box.shop.id) == await scheduled(box.deployment, box.shop.id)


async def people_know_no_password(other: Deployment) -> None:
    async def read(work: Work) -> Any:
        return (await work.execute(sa.select(User.password_hash, User.is_operator, User.email_verified_at))).all()

    people = await look(other, None, read)
    assert people
    for row in people:
        assert not await password_matches(row.password_hash, PASSWORD)
        assert (row.is_operator, row.email_verified_at) == (False, None)


async def trail(deployment: Deployment, business: uuid.UUID | None) -> list[str]:
    async def read(work: Work) -> list[str]:
        mine = sa.select(Audit.deed).where(Audit.business_id == work.business_id, Audit.deed.startswith("operating."))
        return list((await work.execute(mine)).scalars())

    return await look(deployment, business, read)


async def scheduled(deployment: Deployment, business: uuid.UUID) -> set[str]:
    async def read(work: Work) -> set[str]:
        return set((await work.execute(sa.select(Schedule.job).where(Schedule.business_id == business))).scalars())

    return await look(deployment, business, read)


async def test_people_are_matched_by_their_e_mail_and_keep_their_own_password(
    one_till: Till, tmp_path: Path, database: str, server: Callable[[], Postgres]
) -> None:
    box = one_till.box
    sold = await one_till.sell(one_till.cart())
    path = await exported(box, tmp_path / "shop.zip")
    hashed = await hash_password("another password")
    async with empty_database(database, tmp_path, server) as settings, deployed(box, settings) as other:
        await prepare(other)

        async def make(work: Work) -> uuid.UUID:
            return await make_user(work, email="Cashier@mama-njeri.example", name="Here", password_hash=hashed)

        mine = await act(other, None, make)
        done = await import_business(other, path)
        assert done.is_sound
        assert done.matched == ["cashier@mama-njeri.example"]

        async def read(work: Work) -> Any:
            kept = await work.execute(sa.select(User.name, User.password_hash).where(User.id == mine))
            works = await work.execute(sa.select(Membership.user_id).where(Membership.user_id == mine))
            return kept.one(), works.scalar_one()

        (name, stored), member = await look(other, box.shop.id, read)
        assert (name, member) == ("Here", mine)
        assert await password_matches(stored, "another password")
        former = box.people["mama-njeri", "cashier"].id
        rows = await every_row(settings.url)
        assert any(mine in row for row in rows["sales_sale"]), "who sold is the account that is here"
        assert not any(former in row for table, found in rows.items() if table != "kernel_audit" for row in found)
        assert any(former in row for row in rows["kernel_audit"]), "the trail is evidence: hashed as it was"
        assert sold.status_code == 201


async def test_a_business_that_is_here_already_is_refused_and_nothing_changes(one_till: Till, tmp_path: Path) -> None:
    path = await exported(one_till.box, tmp_path / "shop.zip")
    before = await every_row(one_till.box.deployment.settings.url)
    with pytest.raises(AlreadyExists, match="mama-njeri"):
        await import_business(one_till.box.deployment, path)
    assert await every_row(one_till.box.deployment.settings.url) == before


async def test_a_file_that_was_altered_brings_nothing_in(
    one_till: Till, tmp_path: Path, database: str, server: Callable[[], Postgres]
) -> None:
    box = one_till.box
    path = await exported(box, tmp_path / "shop.zip")
    forged = tmp_path / "forged.zip"
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(forged, "w") as other:
        for name in archive.namelist():
            other.writestr(name, archive.read(name).replace(b'"owner@', b'"thief@'))
    with pytest.raises(FileFault, match="duka-archive/1; a duka-backup/1 is needed"):
        Reader(path, BACKUP)
    async with empty_database(database, tmp_path, server) as settings, deployed(box, settings) as target:
        await prepare(target)
        before = await every_row(settings.url)
        with pytest.raises(FileFault, match="kernel_"):
            await import_business(target, forged)
        assert await every_row(settings.url) == before


async def test_a_row_of_another_business_does_not_slip_in_with_right_checksums(
    one_till: Till, tmp_path: Path, database: str, server: Callable[[], Postgres]
) -> None:
    box = one_till.box
    path = await exported(box, tmp_path / "shop.zip")
    reader = Reader(path, ARCHIVE)
    forged = tmp_path / "forged.zip"
    with arriving(forged) as file:
        await forge(reader, file, box.shop.id, box.other.id)
    async with empty_database(database, tmp_path, server) as settings, deployed(box, settings) as target:
        await prepare(target)
        before = await every_row(settings.url)
        with pytest.raises(FileFault, match="kernel_location has a row of another business"):
            await import_business(target, forged)
        assert await every_row(settings.url) == before


async def forge(reader: Reader, file: Any, mine: uuid.UUID, other: uuid.UUID) -> None:
    """The same file with one location given to another business, and checksums that fit."""
    writer = Writer(file)
    for name, said in reader.manifest.tables.items():
        rows = [row for batch in reader.batches(name) for row in batch]
        if name == "kernel_location":
            rows[0]["business_id"] = other
        columns = tuple(said.columns)

        async def batches(rows: list[dict[str, Any]] = rows, columns: tuple[str, ...] = columns) -> Any:
            yield [[row[column] for column in columns] for row in rows]

        await writer.table(name, said.columns, batches(), tenant=said.tenant)
    writer.finish(structs.replace(reader.manifest, tables=writer.tables))


async def test_keys_and_tills_stay_behind_and_that_is_said(
    one_till: Till, tmp_path: Path, database: str, server: Callable[[], Postgres]
) -> None:
    box = one_till.box
    made = await box.client("owner").post("/api/v1/keys", {"name": "shop front", "scopes": ["catalog.see"]})
    path = await exported(box, tmp_path / "shop.zip")
    async with empty_database(database, tmp_path, server) as settings, deployed(box, settings) as target:
        await prepare(target)
        done: Imported = await import_business(target, path)
        rows = await every_row(settings.url)
        assert made.status_code == 201, made.text
        assert done.left_behind == {"kernel_api_key": 1}
        assert rows["kernel_api_key"] == []


async def test_an_export_is_in_both_trails_and_lets_a_suspended_business_be_deleted(
    one_till: Till, tmp_path: Path
) -> None:
    box = one_till.box

    async def close(work: Work) -> None:
        await work.execute(sa.update(Business).where(Business.id == box.shop.id).values(suspended_at=work.now))

    for suspended in (False, True):
        if suspended:
            await box.act(close)
        with arriving(tmp_path / f"{suspended}.zip") as file:
            manifest = await write_archive(box.deployment, box.shop.id, file)
        await note_export(box.deployment, box.shop.id, manifest, "0" * 64)

        async def marked(work: Work) -> bool:
            found = await work.execute(sa.select(Business.exported_at).where(Business.id == box.shop.id))
            return found.scalar_one() is not None

        assert await box.look(marked) is suspended
    assert await trail(box.deployment, box.shop.id) == ["operating.export_business"] * 2
    assert await trail(box.deployment, None) == ["operating.export_business"] * 2


async def test_an_imported_business_runs_its_jobs(
    one_till: Till, tmp_path: Path, database: str, server: Callable[[], Postgres]
) -> None:
    box = one_till.box
    path = await exported(box, tmp_path / "shop.zip")
    async with empty_database(database, tmp_path, server) as settings, deployed(box, settings) as target:
        await prepare(target)
        await import_business(target, path)
        box.clock.pass_by(days=2)
        await Runner(target, standing_of_business).run_due()

        async def states(work: Work) -> set[str]:
            return set((await work.execute(sa.select(Job.state).where(Job.business_id == box.shop.id))).scalars())

        assert await look(target, box.shop.id, states) == {"done"}


async def test_an_import_that_breaks_off_leaves_the_deployment_as_it_was(
    one_till: Till, tmp_path: Path, database: str, server: Callable[[], Postgres]
) -> None:
    box = one_till.box
    path = await exported(box, tmp_path / "shop.zip")

    class PulledPlug(BaseException):
        pass

    async with empty_database(database, tmp_path, server) as settings, deployed(box, settings) as target:
        await prepare(target)
        before, steps = await every_row(settings.url), iter(range(1000))

        def pull(what: str, _rows: int, _total: int | None) -> None:
            if what == "importing" and next(steps) == 30:
                raise PulledPlug

        with pytest.raises(PulledPlug):
            await import_business(target, path, progress=pull)
        assert await every_row(settings.url) == before
        assert (await import_business(target, path)).is_sound


async def test_an_account_that_goes_by_another_e_mail_here_is_not_taken_for_the_same(
    one_till: Till, tmp_path: Path, database: str, server: Callable[[], Postgres]
) -> None:
    box = one_till.box
    path = await exported(box, tmp_path / "shop.zip")
    cashier = box.people["mama-njeri", "cashier"].id
    async with empty_database(database, tmp_path, server) as settings, deployed(box, settings) as target:
        await prepare(target)

        async def make(work: Work) -> None:
            await make_user(work, email="other@x.example", name="Other", password_hash="none")
            await work.execute(sa.update(User).values(id=cashier))

        await act(target, None, make)
        with pytest.raises(AlreadyExists, match="has another e-mail here"):
            await import_business(target, path)


async def test_a_business_that_is_being_deleted_is_not_exported(one_till: Till, tmp_path: Path) -> None:
    box = one_till.box

    async def give_up(work: Work) -> None:
        gone = {"deleting_at": work.now, "is_active": False}
        await work.execute(sa.update(Business).where(Business.id == box.shop.id).values(**gone))

    await box.act(give_up)
    with pytest.raises(BeingDeleted):
        await exported(box, tmp_path / "shop.zip")
    assert not (tmp_path / "shop.zip").exists()


async def test_what_was_set_for_plugins_arrives_and_its_secrets_do_not(
    one_till: Till, tmp_path: Path, database: str, server: Callable[[], Postgres]
) -> None:
    box = one_till.box
    plain = {"points": 3, "greeting": "नमस्ते", "levels": {"gold": [1, 2]}}
    hidden = sealed((box.deployment.secret,), box.shop.id, "catalog", "key", "s3cret words")
    mine = sa.and_(BusinessPlugin.business_id == box.shop.id, BusinessPlugin.plugin == "catalog")
    at_a_place = {"location_id": await box.location(), "plugin": "catalog", "settings_version": 1}

    async def write(work: Work) -> None:
        said = {"settings": {**plain, "key": hidden}}
        await work.execute(sa.update(BusinessPlugin).where(mine).values(**said))
        await work.execute(sa.insert(LocationSetting).values(business_id=work.business_id, **at_a_place, **said))

    async def read(work: Work) -> Any:
        business = (await work.execute(sa.select(BusinessPlugin.settings).where(mine))).scalar_one()
        here = LocationSetting.business_id == box.shop.id
        return business, (await work.execute(sa.select(LocationSetting.settings).where(here))).scalar_one()

    async def classes(work: Work) -> set[Any]:
        taxes = Base.metadata.tables["taxes_class"]  # where a region's pack has been loaded into
        return set((await work.execute(sa.select(taxes.c.code).where(taxes.c.business_id == box.shop.id))).scalars())

    await box.act(write)
    path = await exported(box, tmp_path / "shop.zip")
    with zipfile.ZipFile(path) as file:
        assert hidden["sealed"].encode() not in b"".join(map(file.read, file.namelist()))
    async with empty_database(database, tmp_path, server) as settings, deployed(box, settings) as other:
        await prepare(other)
        assert (await import_business(other, path)).is_sound
        assert await look(other, box.shop.id, read) == (plain, plain)
        assert await look(other, box.shop.id, classes) == await box.look(classes) != set()


async def signed_in(other: Deployment, box: Box) -> tuple[Box, Client]:
    """The owner at the other deployment, who has set a password there and signs in with it."""
    hashed = await hash_password(PASSWORD)
    await act(other, None, lambda work: work.execute(sa.update(User).values(password_hash=hashed)))
    there = Box(other, box.shops, box.people)
    entered = {"username": "owner@mama-njeri.example", "password": PASSWORD, "business": "mama-njeri"}
    answer = await there.client(None).post("/api/v1/auth/login", entered)
    assert answer.status_code == 200, answer.text
    return there, Client(there.http, answer.json()["access_token"])


async def a_shop_of_its_own(box: Box) -> dict[str, str]:
    """Filled, with what a plugin keeps on the side of a product, a price list in force, and a coupon good twice."""
    own = await Filling(box, "mama-njeri").fill()
    owner = box.client("owner")
    made = await owner.post("/api/v1/catalog/products", body("BESIDE", PART) | {"price": "500.00"})
    own["beside"] = made.json()["id"]
    away = {"track_stock": False, "custom": {"origin": "Kericho"}}
    changed = await owner.patch(f"/api/v1/catalog/products/{own['beside']}", away, version=1)
    assert changed.status_code == 200, changed.text
    listed = {"prices": [{"product_id": own["beside"], "price": "400.00"}]}
    path = f"/api/v1/catalog/price-lists/{own['price_list_id']}"
    tag = (await owner.get(path)).headers["etag"]
    put = await owner.send("PUT", f"{path}/prices", json=listed, headers={"If-Match": tag})
    assert put.status_code == 200, put.text
    gift = {"name": "Gift", "kind": "percent", "value": "25", "by_coupon": True, "product_id": own["beside"]}
    promotion = (await owner.post("/api/v1/discounts/promotions", gift)).json()["id"]
    assert (await owner.post(f"/api/v1/discounts/promotions/{promotion}/activate")).status_code == 200
    once = {"promotion_id": promotion, "code": "KARIBU", "uses": 2}
    assert (await owner.post("/api/v1/discounts/coupons", once)).status_code == 201
    return own


FILTERED: tuple[tuple[str, dict[str, str]], ...] = (
    ("/api/v1/catalog/products", {"custom.origin": "Kericho"}),
    ("/api/v1/catalog/products", {"ext.inventory.shelf": "A1"}),
    ("/api/v1/sales/sales", {"custom.origin": "Kitale table"}),
    ("/api/v1/customers/customers", {"custom.origin": "Kitale village"}),
    ("/api/v1/custom-fields", {}),
    ("/api/v1/catalog/price-lists", {}),
    ("/api/v1/discounts/promotions", {}),
    ("/api/v1/discounts/coupons", {}),
)


async def test_what_a_shop_has_set_up_arrives_and_acts_there(
    kept: Box, tmp_path: Path, database: str, server: Callable[[], Postgres]
) -> None:
    own, owner = await a_shop_of_its_own(kept), kept.client("owner")
    cart: dict[str, Any] = {"location_id": str(await kept.location()), "lines": [{"product_id": own["beside"]}]}
    cart |= {"custom": {"origin": "Kitale table"}, "ext": {"discounts": {"coupon_codes": ["KARIBU"]}}}
    paid = cart | {"payments": [{"method": "cash", "amount": "300.00"}]}
    sold = await owner.post("/api/v1/sales/sales", paid)
    assert (sold.status_code, sold.json()["total"]) == (201, "300.00"), sold.text
    path = await exported(kept, tmp_path / "shop.zip")
    async with empty_database(database, tmp_path, server) as settings, deployed(kept, settings) as other:
        await prepare(other)
        await make_table(settings.url)
        done = await import_business(other, path)
        assert done.is_sound, (done.broken, done.chain)
        without = (*LEFT_OUT, "kernel_refresh_token", *done.left_behind)
        left, arrived = [
            of_business(unsealed(await every_row(url)), kept.shop.id, without)
            for url in (kept.deployment.settings.url, settings.url)
        ]
        assert arrived == left
        assert {"inventory_kept", "sales_sale_key", "catalog_price", "discounts_coupon"} <= arrived.keys()
        there, guest = await signed_in(other, kept)
        for listed, asked in FILTERED:
            mine, theirs = [(await one.get(listed, params=asked)).json() for one in (owner, guest)]
            assert (mine["items"], mine["items"] != []) == (theirs["items"], True), (listed, asked)
        assert (await guest.get(f"/api/v1/catalog/products/{own['beside']}")).json()["ext"] == PART
        again = await guest.post("/api/v1/sales/sales", paid)
        assert (again.status_code, again.json()["lines"][0]["steps"]) == (201, sold.json()["lines"][0]["steps"])
        used_up = await guest.post("/api/v1/sales/sales", paid)
        assert used_up.status_code == 409, used_up.text
        await there.http.aclose()
