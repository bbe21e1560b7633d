"""Who has no address finds nothing: guessed, altered, old, over, another shop's. Each check catches a broken twin."""

from __future__ import annotations

import base64
import uuid
from typing import Any

import pytest

from kernel.testing.box import Box
from kernel.work import Deployment
from plugins.payment_links.services import Place, paying, read_token, token_of
from plugins.payment_links.testing import a_link
from plugins.payment_links.tests.payer import Payer
from plugins.payments.testing.toy_box import ToyBox

LINKS = "/api/v1/payment_links/links"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.prove)])
def database(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def altered(token: str) -> list[str]:
    """A token with each bit of it turned over, and in other spellings."""
    raw = base64.urlsafe_b64decode(token)
    turned = [
        base64.urlsafe_b64encode(bytes([*raw[:n], raw[n] ^ bit, *raw[n + 1 :]])).decode()
        for n in range(len(raw))
        for bit in (1, 128)
    ]
    return [*turned, token + "=", token[:-1], token + "A", token.swapcase(), f" {token}", token + "\n", "", "A" * 68]


def accepted(deployment: Deployment, token: str) -> list[str]:
    return [one for one in altered(token) if one != token and read_token(deployment, one) is not None]


async def test_an_address_that_we_did_not_make_leads_nowhere(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place("link", uuid.uuid4(), uuid.uuid4(), 7)
    token = token_of(box.deployment, place)
    assert read_token(box.deployment, token) == place
    assert len(token) == 68
    assert accepted(box.deployment, token) == []
    monkeypatch.setattr("hmac.compare_digest", lambda _one, _other: True)
    assert len(accepted(box.deployment, token)) > 50, "the twin does not look at the seal"


async def closed_to(toy: ToyBox, address: str) -> Any:
    page = await Payer(toy, address).look()
    return page.status_code, page.text.replace(address.rpartition("/")[2], "")


async def strangers(toy: ToyBox) -> dict[str, str]:
    """Addresses that must all show the same nothing."""
    box, manager = toy.box, toy.box.client("manager")
    old = await a_link(box)
    await manager.post(f"{LINKS}/{old.id}/resend", {"renew": True})
    over = await a_link(box, expires_at=box.clock().replace(hour=10))
    gone = await a_link(box)
    await manager.post(f"{LINKS}/{gone.id}/cancel", {"reason": "mistake"})
    nobody = Place("link", box.shop.id, uuid.uuid4(), 1)
    elsewhere = Place("link", uuid.uuid4(), old.id, 1)
    theirs = Place("link", box.other.id, old.id, 1)
    box.clock.pass_by(hours=2)
    made = {
        name: f"/pay/{token_of(box.deployment, place)}"
        for name, place in (("nobody", nobody), ("elsewhere", elsewhere), ("theirs", theirs))
    }
    return made | {
        "old": old.address,
        "over": over.address,
        "gone": gone.address,
        "forged": "/pay/" + "A" * 68,
        "short": "/pay/no-such-thing",
    }


async def test_forged_unknown_old_over_cancelled_and_foreign_addresses_look_alike(
    toy: ToyBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = await strangers(toy)
    shown = {name: await closed_to(toy, address) for name, address in everything.items()}
    assert {status for status, _ in shown.values()} == {404}
    assert len({text for _, text in shown.values()}) == 1, shown.keys()
    for name, address in everything.items():
        sent = await Payer(toy, address).pays()
        assert (sent.status_code, "Mama Njeri" in sent.text) == (404, False), name
        events = await toy.box.http.get(address.removeprefix(toy.box.deployment.settings.public_address) + "/events")
        assert events.status_code == 404, name
    listed = (await toy.box.client("owner").get("/api/v1/payments/payments")).json()["items"]
    assert listed == []
    monkeypatch.setattr("plugins.payment_links.services.showing.state_of", lambda state, _ends, _now: "open")
    assert (await closed_to(toy, everything["over"]))[0] == 200, "the twin does not look at the time"


async def test_a_business_that_is_suspended_is_not_there_for_payers(toy: ToyBox) -> None:
    link, operator = await a_link(toy.box), toy.box.client("operator")
    business = f"/api/v1/operating/businesses/{toy.box.shop.slug}"
    for deed, status in (("suspend", 404), ("resume", 200)):
        done = await operator.post(f"{business}/{deed}", {"reason": "unpaid"})
        assert done.status_code == 200, done.text
        assert (await closed_to(toy, link.address))[0] == status
    assert (await Payer(toy, link.address).pays()).status_code == 200


async def test_what_is_paid_while_links_are_off_is_counted_when_they_are_on_again(toy: ToyBox) -> None:
    link, owner = await a_link(toy.box), toy.box.client("owner")
    payer, plugin = Payer(toy, link.address), "/api/v1/plugins/payment_links"
    await payer.pays()
    await toy.box.run_jobs()
    seen = (await owner.post(f"{plugin}/plan", {"action": "disable"})).json()
    assert [one["name"] for one in seen["obligations"]] == ["open"]
    off = {"action": "disable", "hash": seen["hash"], "on_open": "force", "reason": "the shop moves"}
    assert (await owner.post(f"{plugin}/apply", off)).status_code == 200
    toy.provider.pay(max(toy.provider.payments))
    toy.box.clock.pass_by(minutes=1)
    assert (await payer.goes_on()).status_code == 404
    assert (await payer.pays()).status_code == 404
    assert (await owner.post(f"{plugin}/enable")).status_code == 200
    assert "Paid. Thank you!" in (await payer.look()).text
    found = (await owner.get(f"{LINKS}/{link.id}")).json()
    assert (found["state"], found["paid"], found["payments"]) == ("paid", "1500.00", 1)


async def test_a_form_says_nothing_of_how_a_payment_stands(toy: ToyBox) -> None:
    link = await a_link(toy.box)
    payer = Payer(toy, link.address)
    await payer.pays()
    await toy.box.run_jobs()
    forged: list[dict[str, str]] = [
        {"state": "paid", "status": "captured", "do": "paid", "amount": "0.01"},
        {"do": "confirm", "paid": "1500.00"},
        {"method": "cash", "amount": "1500.00"},
        {"method": "payment_link"},
    ]
    for fields in forged:
        page = await payer.send(**fields)
        assert "Confirm on your phone" in page.text, fields
    path = payer.path.partition("?")[0]
    for body, kind in (
        (b'{"status": "paid"}', "application/json"),
        (b"\xff\xfe=\x00", "application/x-www-form-urlencoded"),
    ):
        await toy.box.http.post(path, content=body, headers={"Content-Type": kind})
    found = (await toy.box.client("cashier").get(f"{LINKS}/{link.id}")).json()
    assert (found["state"], found["paid"]) == ("open", "0.00")
    listed = (await toy.box.client("owner").get("/api/v1/payments/payments")).json()["items"]
    assert [(one["status"], one["method"], one["amount"]) for one in listed] == [("pending", "toy", "1500.00")]


async def test_a_method_that_the_link_does_not_allow_is_not_asked(toy: ToyBox) -> None:
    link = await a_link(toy.box, methods=("toy_qr",))
    payer = Payer(toy, link.address)
    assert "Pay with Toy money" not in (await payer.look()).text
    assert (await payer.pays()).status_code == 422
    twice = await toy.box.client("cashier").post(
        LINKS, {"location_id": str(await toy.box.location()), "amount": "5.00", "methods": ["cash"]}
    )
    assert twice.json()["errors"][0]["pointer"] == "/methods/0"


async def uncounted(*_args: Any, **_more: Any) -> None:
    """The twin."""


async def test_a_phone_is_not_pestered_however_many_links_there_are(
    toy: ToyBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def prompted(links: int) -> int:
        answers = [await Payer(toy, (await a_link(toy.box)).address).pays() for _ in range(links)]
        return sum("Your request is on its way" in one.text for one in answers)

    assert await prompted(paying.MOST_OF_PHONE + 2) == paying.MOST_OF_PHONE
    toy.box.clock.pass_by(minutes=16)
    assert await prompted(1) == 1
    monkeypatch.setattr(paying, "count_try", uncounted)
    assert await prompted(paying.MOST_OF_PHONE + 1) == paying.MOST_OF_PHONE + 1, "the twin counts nothing"
