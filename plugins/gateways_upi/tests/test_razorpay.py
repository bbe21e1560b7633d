"""Razorpay's QR codes and refunds, against the simulator: what each payer does, and what each fault comes to."""

from __future__ import annotations

import datetime as dt
from typing import Any

import httpx
import msgspec
import pytest

from kernel.wire import Page
from plugins.gateways_upi.rules.razorpay.signing import basic
from plugins.gateways_upi.simulator import SHOPS, Answer, Shop, Step, Told
from plugins.gateways_upi.simulator.settling import settle
from plugins.gateways_upi.simulator.state import Hook
from plugins.gateways_upi.tests.desk import ACCOUNT, NOW, Desk, a_config, kinds
from plugins.payments.api import GatewayFailed, Started, Window


async def failed(doing: Any) -> GatewayFailed:
    with pytest.raises(GatewayFailed) as caught:
        await doing
    return caught.value


async def test_a_code_is_made_scanned_told_and_found() -> None:
    desk = Desk(holds=True)
    started = await desk.ask()
    code = desk.state.codes[started.ids["qr"]]
    assert started.show is not None
    assert (started.show.kind, started.show.text) == ("qr", code.link)
    assert (kinds(started.facts), kinds(await desk.find(started))) == (["pending"], ["pending"])
    assert started.expires_at == NOW + dt.timedelta(seconds=300)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=desk.app), base_url="http://sim") as http:
        assert (await http.post(f"/_sim/phones/{code.id}", json={"status": "captured"})).status_code == 200
    await desk.wait(5)
    [payment] = desk.state.payments.values()
    assert {one.money_key for one in desk.told if one.kind == "captured"} == {payment.id}
    assert {one.amount for one in desk.told if one.kind == "captured"} == {24_900}
    assert {one.trust for one in desk.verdicts} == {"trusted"}
    [found] = await desk.find(started)
    assert (found.kind, found.money_key, found.fee) == ("captured", payment.id, payment.fee)


async def test_what_is_sent_is_what_razorpay_documents() -> None:
    desk = Desk()
    await desk.ask()
    method, url, body = desk.line.sent[-1]
    assert (method, url) == ("POST", "https://api.razorpay.com/v1/payments/qr_codes")
    assert body == {
        "type": "upi_qr",
        "name": "Shop",
        "usage": "single_use",
        "fixed_amount": True,
        "payment_amount": 24_900,
        "description": "Sharma Kirana T1-2026-000123",
        "close_by": int(NOW.timestamp()) + 300,
        "notes": {"reference": "DUKA0001", "request": "00000000-0000-0000-0000-000000000001"},
    }


@pytest.mark.parametrize(("lives_s", "closes_s"), [(1, 130), (300, 300), (86_400, 7_200), (None, 300)])
async def test_a_code_closes_within_what_razorpay_allows(lives_s: int | None, closes_s: int) -> None:
    desk = Desk()
    started = await desk.ask(expires_at=None if lives_s is None else NOW + dt.timedelta(seconds=lives_s))
    assert started.expires_at == NOW + dt.timedelta(seconds=closes_s)


async def test_where_clocks_differ_a_code_closes_when_razorpay_says() -> None:
    desk = Desk()
    desk.line.now = NOW - dt.timedelta(minutes=10)
    started = await desk.ask()
    assert [body.get("close_by") is None for _, _, body in desk.line.sent] == [False, True]
    assert started.expires_at == NOW + dt.timedelta(hours=2)
    assert len(desk.state.codes) == 1


async def test_without_its_content_the_code_is_a_page_to_open_and_no_picture_from_elsewhere() -> None:
    shown = (await Desk(a_config(SHOPS[1])).ask()).show
    assert shown is not None
    assert (shown.kind, shown.text[:16]) == ("page", "https://rzp.io/i")


@pytest.mark.parametrize(
    ("amount", "wait_s", "told", "found"),
    [
        (24_901, 10, {"captured"}, ["captured"]),
        (24_902, 10, set(), ["captured"]),
        (24_903, 10, {"captured"}, ["captured"]),
        (24_904, 0, {"captured"}, ["captured"]),
        (24_906, 10, {"captured"}, ["captured"]),
        (24_907, 10, {"captured"}, ["captured"]),
        (24_908, 10, set(), ["action", "pending"]),
        (24_908, 305, {"expired"}, ["action", "failed"]),
        (24_908, 365, {"expired", "captured"}, ["captured"]),
        (24_909, 10, {"captured"}, ["captured"]),
        (24_910, 10, {"captured"}, ["captured"]),
        (24_911, 10, {"captured"}, ["captured", "captured"]),
        (24_914, 310, {"expired"}, ["expired"]),
        (24_914, 610, {"expired", "captured"}, ["captured"]),
        (24_915, 10, set(), ["action", "pending"]),
        (24_916, 10, set(), ["authorised"]),
        (24_916, 610, {"expired", "captured"}, ["captured"]),
        (24_917, 10, set(), ["captured"]),
        (20_100, 10, set(), ["action", "pending"]),
        (40_200, 310, {"expired"}, ["action", "failed"]),
    ],
)
async def test_every_payer_is_told_of_and_found_out_about(
    amount: int, wait_s: float, told: set[str], found: list[str]
) -> None:
    desk = Desk()
    started = await desk.ask(amount)
    await desk.wait(wait_s)
    news = {fact.kind for fact in desk.told} - {"pending"}
    assert (news, kinds(await desk.find(started))) == (told, found)
    came = {one.id: one.amount for one in desk.state.payments.values() if one.status == "captured"}
    for fact in desk.told:
        if fact.kind == "captured":
            assert came[str(fact.money_key)] == fact.amount
    assert len({fact.key for fact in desk.told if fact.kind == "captured"}) <= len(came)


@pytest.mark.parametrize(
    ("rupees", "fault"),
    [(201, "insufficient_funds"), (204, "payer_declined"), (302, "payer_declined"), (402, "payer_declined")],
)
async def test_razorpays_own_test_amounts_fail_for_their_reasons(rupees: int, fault: str) -> None:
    desk = Desk()
    started = await desk.ask(rupees * 100)
    await desk.wait(5)
    [tried, _] = await desk.find(started)
    assert (tried.kind, tried.fault) == ("action", fault)
    assert tried.said
    assert tried.tells


async def test_a_forged_notice_is_refused_and_one_of_another_account_too() -> None:
    desk = Desk(holds=True)
    started = await desk.ask()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=desk.app), base_url="http://sim") as http:
        assert (await http.post("/_sim/forge", json={"code": started.ids["qr"]})).status_code == 200
        desk.state.shops[SHOPS[0].key_id] = Shop(key_id=SHOPS[0].key_id, key_secret="x" * 8, merchant="acc_Other")
    assert [one.trust for one in desk.verdicts] == ["trusted", "refused"], "its making was told truly"
    assert kinds(desk.told) == ["pending"]


@pytest.mark.parametrize("kind", ["lost", "html", "garbled", "empty"])
async def test_a_code_whose_answer_is_lost_is_found_by_our_reference(kind: Any) -> None:
    desk = Desk(holds=True)
    desk.will(on="code", answer=Answer(kind, does=True, status=503), times=1)
    assert (await failed(desk.ask())).is_unsure
    [code] = desk.state.codes.values()
    await desk.wait(60)
    [found] = await desk.find()
    assert (found.kind, found.ids) == ("pending", {"qr": code.id})
    assert kinds(await desk.gateway.call_back(desk.line, desk.known())) == ["cancelled"]
    assert await desk.find(None, reference="OTHER") == ()


async def test_what_was_refused_or_could_not_be_read_is_not_paid() -> None:
    desk = Desk()
    busy = await failed(desk.ask(24_912))
    assert (busy.fault.kind, busy.fault.again, busy.is_unsure) == ("rate_limited", True, False)
    assert (await failed(desk.ask(24_913))).is_unsure, "an error page says nothing of what was done"
    wrong = Desk(a_config(key_secret="not-the-one"))
    assert (await failed(wrong.ask())).fault.kind == "authentication"
    assert (desk.state.codes, wrong.state.codes) == ({}, {})


@pytest.mark.parametrize(
    ("changes", "kind"),
    [({"amount": 99}, "limit"), ({"amount": 50_000_001}, "limit"), ({"currency": "KES"}, "validation")],
)
async def test_what_upi_would_not_take_never_leaves(changes: dict[str, Any], kind: str) -> None:
    desk = Desk()
    fault = await failed(desk.ask(**changes))
    assert (fault.fault.kind, fault.is_unsure, desk.line.sent) == (kind, False, [])


async def test_a_key_for_tests_moves_no_real_money_and_the_other_way_round() -> None:
    desk = Desk(a_config(key_id="rzp_live_simulated"))
    assert ((await failed(desk.ask())).fault.kind, desk.line.sent) == ("configuration", [])
    live = Desk()
    live.line.mode = "live"
    assert ((await failed(live.ask())).fault.kind, live.line.sent) == ("configuration", [])


async def test_a_code_is_closed_when_nobody_waits_and_money_that_came_wins() -> None:
    desk = Desk(holds=True)
    started = await desk.ask()
    assert kinds(await desk.gateway.call_back(desk.line, desk.known(started))) == ["cancelled"]
    assert kinds(await desk.gateway.call_back(desk.line, desk.known(started))) == ["cancelled"], "closed already"
    paid = Desk()
    started = await paid.ask(24_901)
    await paid.wait(5)
    assert kinds(await paid.gateway.call_back(paid.line, paid.known(started))) == ["captured"]


async def test_money_that_comes_as_the_code_is_closed_is_told_late() -> None:
    desk = Desk()
    desk.will(decisions=[Step("authorized", 1), Step("captured", 60)])
    started = await desk.ask()
    await desk.wait(2)
    assert kinds(await desk.gateway.call_back(desk.line, desk.known(started))) == ["authorised"]
    await desk.wait(65)
    assert "captured" in kinds(desk.told)
    assert kinds(await desk.find(started)) == ["captured"]


async def test_a_sticker_that_is_paid_twice_is_two_pieces_of_money() -> None:
    desk = Desk()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=desk.app), base_url="http://sim") as http:
        for _ in "12":
            assert (await http.post("/_sim/pay", json={"amount": 15_000})).status_code == 200
    await desk.wait(5)
    came = [fact for fact in desk.told if fact.kind == "captured"]
    assert (len({fact.money_key for fact in came}), {fact.reference for fact in came}) == (2, {None})
    listed = await desk.gateway.incoming(desk.line, NOW - dt.timedelta(hours=1), NOW + dt.timedelta(hours=1))
    assert {fact.key for fact in listed} == {fact.key for fact in came}


async def test_notices_are_sent_again_for_a_day_then_the_webhook_is_off_and_asking_finds_out() -> None:
    desk = Desk()
    desk.is_deaf = True
    started = await desk.ask(24_901)
    await desk.wait(2 * 86_400)
    assert (desk.hook.is_on, desk.told) == (False, [])
    assert len(desk.state.diary.notices) > 10
    assert kinds(await desk.find(started)) == ["captured"]


async def test_a_notice_that_is_sent_again_after_the_secret_was_changed_is_by_the_old_one() -> None:
    desk = Desk()
    desk.is_deaf = True
    await desk.ask(24_901)
    await desk.wait(10)
    desk.state.hooks[desk.config.key_id] = Hook(url=ACCOUNT, secret="a-new-secret")
    desk.config = a_config(webhook_secret="a-new-secret", former_webhook_secret=desk.config.webhook_secret)
    desk.is_deaf = False
    await desk.wait(3_600)
    assert {one.trust for one in desk.verdicts} == {"trusted"}
    assert "captured" in kinds(desk.told)


async def a_paid_one(amount: int = 24_901) -> tuple[Desk, Started]:
    desk = Desk()
    started = await desk.ask(amount)
    await desk.wait(5)
    return desk, started


async def test_money_goes_back_whole_in_parts_and_never_beyond() -> None:
    desk, _ = await a_paid_one()
    for n, amount in enumerate((10_000, 14_901)):
        made = await desk.gateway.give_back(desk.line, desk.back(amount, n + 1))
        assert kinds(made.facts) == ["refund_done"]
        assert made.facts[0].refund_id == desk.back(amount, n + 1).id
    over = await failed(desk.gateway.give_back(desk.line, desk.back(100, 3)))
    assert (over.fault.kind, over.fault.said) == ("validation", "The payment was given back already")
    assert [fact.refund_id for fact in desk.told if fact.kind == "refund_done"][::2] == [
        desk.back(1, 1).id,
        desk.back(1, 2).id,
    ]


async def test_a_refund_that_is_sent_again_is_made_once_and_otherwise_worded_refused() -> None:
    desk, _ = await a_paid_one()
    desk.will(on="refund", answer=Answer(does=True), times=1)
    assert (await failed(desk.gateway.give_back(desk.line, desk.back(10_000)))).is_unsure
    again = await desk.gateway.give_back(desk.line, desk.back(10_000))
    assert len(desk.state.refunds) == 1
    assert kinds(await desk.gateway.find_refund(desk.line, desk.back(10_000))) == ["refund_done"], "by our id"
    by_its = desk.back(10_000, ids=dict(again.ids))
    assert kinds(await desk.gateway.find_refund(desk.line, by_its)) == ["refund_done"], "by Razorpay's"
    other = await failed(desk.gateway.give_back(desk.line, desk.back(5_000)))
    assert (other.fault.kind, other.is_unsure, len(desk.state.refunds)) == ("duplicate", False, 1)


@pytest.mark.parametrize(("ends", "kind"), [("processed", "refund_done"), ("failed", "refund_failed")])
async def test_a_refund_that_waits_ends_one_way_or_the_other(ends: Any, kind: str) -> None:
    desk, _ = await a_paid_one()
    desk.will(on="refund", status="pending", ends=ends)
    made = await desk.gateway.give_back(desk.line, desk.back(10_000))
    assert kinds(made.facts) == ["refund_pending"]
    await desk.wait(40)
    assert desk.told[-1].kind == kind
    assert kinds(await desk.gateway.find_refund(desk.line, desk.back(10_000, ids=dict(made.ids)))) == [kind]


async def test_nothing_goes_back_after_six_months() -> None:
    desk, _ = await a_paid_one()
    desk.line.now = desk.state.now()
    await desk.app.advance(190 * 86_400)
    late = await failed(desk.gateway.give_back(desk.line, desk.back(10_000)))
    assert (late.fault.kind, late.is_unsure) == ("not_supported", False)
    assert desk.gateway.capabilities.refund_days == 180


async def test_what_was_settled_is_stated_with_fees_and_what_went_to_the_bank() -> None:
    desk, _ = await a_paid_one(100_001)
    await desk.gateway.give_back(desk.line, desk.back(25_001))
    settled = await settle(desk.state, SHOPS[0])
    assert settled is not None
    lines, cursor = [], None
    window = Window(NOW - dt.timedelta(days=2), desk.line.now + dt.timedelta(hours=1))
    for _ in range(9):
        page = await desk.gateway.fetch_statement(desk.line, window, cursor)
        lines += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    paid, back, _ = lines
    [payment] = desk.state.payments.values()
    assert [one.kind for one in lines] == ["payment", "refund", "payout"]
    assert (paid.money_key, paid.gross, paid.fee, paid.tax) == (payment.id, 100_001, 500, 90)
    assert (back.money_key, back.gross, set(back.ids)) == (payment.id, -25_001, {"refund"})
    assert all(one.is_sound for one in lines)
    assert {one.settlement_id for one in lines} == {settled.id}
    assert {one.settlement_ref for one in lines} == {settled.utr}
    assert sum(one.net_of for one in lines) == 0, "what was settled is what went to the bank"
    assert await desk.gateway.fetch_statement(desk.line, window, "nonsense") == Page([], None)


async def test_an_account_is_tried_without_moving_money() -> None:
    desk = Desk()
    assert "QR codes are on" in await desk.gateway.check(desk.line)
    off = Shop(key_id=desk.config.key_id, key_secret=desk.config.key_secret, has_codes=False)
    desk.state.shops[off.key_id] = off
    assert (await failed(desk.gateway.check(desk.line))).fault.kind == "configuration"
    assert (desk.state.codes, desk.state.payments) == ({}, {})


async def test_a_simulator_is_told_where_notices_go_and_razorpay_itself_is_not() -> None:
    desk = Desk(a_config(test_address="http://127.0.0.1:8411"))
    desk.state.hooks.clear()
    await desk.gateway.enrol(desk.line)
    assert desk.state.hooks[desk.config.key_id].url == ACCOUNT
    assert "its own pages" in (await failed(Desk().gateway.enrol(Desk().line))).fault.said
    assert desk.gateway.hosts(desk.config, "live") == ("api.razorpay.com",)
    assert desk.gateway.hosts(desk.config, "test") == ("127.0.0.1:8411",)


async def test_the_simulator_keeps_to_its_rules_and_shows_nothing_of_payers() -> None:
    desk = Desk()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=desk.app), base_url="http://sim") as http:
        signed = {"authorization": basic(desk.config.key_id, desk.config.key_secret)}
        code = {"type": "upi_qr", "usage": "single_use", "fixed_amount": True, "payment_amount": 30_000}
        for wrong in (
            {"usage": "once"},
            {"fixed_amount": False},
            {"close_by": 1},
            {"extra": 1},
            {"payment_amount": 99},
        ):
            answer = await http.post("/v1/payments/qr_codes", json=code | wrong, headers=signed)
            assert (answer.status_code, answer.json()["error"]["reason"]) == (400, "input_validation_failed"), wrong
        assert (await http.post("/v1/payments/qr_codes", json=code)).status_code == 401
        made = (await http.post("/v1/payments/qr_codes", json=code, headers=signed)).json()
        assert made["close_by"] == int(NOW.timestamp()) + 7_200
        await desk.wait(5)
        page = await http.get("/")
        assert "Simulated Razorpay" in page.text
        assert "<!-- s" not in page.text, "look and words of all pages are filled in"
        foreign = await http.post("/_sim/settle", json={}, headers={"origin": "https://elsewhere.example"})
        assert foreign.status_code == 403
        shown = await http.get("/_sim/phones")
        assert shown.json()["codes"][0]["paid"] == 30_000
    kept = str(desk.state.diary.requests) + str(msgspec.json.encode(desk.state.diary.notices))
    assert not any(one in kept for one in ("asha.rao@", "9000090000", desk.config.key_secret))


async def test_notices_may_come_together_twice_and_out_of_order() -> None:
    desk = Desk()
    desk.will(decisions=[Step("captured", 1)], notices=[Told("qr_code.closed"), Told("qr_code.credited")] * 2)
    await desk.ask()
    await desk.wait(5)
    assert [one for one in kinds(desk.told) if one != "pending"] == ["captured"] * 2
    assert len({fact.key for fact in desk.told if fact.kind == "captured"}) == 1
