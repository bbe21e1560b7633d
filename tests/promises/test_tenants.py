"""P20: to one business, what another has looks like what nobody has, by every road there is."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import uuid

import httpx
import pytest

from kernel.auth.businesses.making import add_member, role_named
from kernel.auth.secrets.tokens import Claims, make_access_token
from kernel.testing.box import PASSWORD, Box, Client
from kernel.web import OPERATOR
from kernel.work import Work
from tests.promises.filling import MARKS, Filling
from tests.promises.prober import EVERYBODY, MINE, THEIRS, Prober
from tests.promises.spots import id_spots, lists_of, naming_spots, plain_call, word_spots
from tests.proving import ON_POSTGRES, ON_SQLITE

BLUNT: dict[str, str] = {}
"""Spots of the body, but for ids that the caller chooses, where an id of nothing is taken as well; and why."""
ABOVE_ALL = {"operating.retry_any_job", "operating.drop_any_job"}
"""What operators do with a thing of any business by its id; everybody else finds nothing there."""
SAYS_NO_MORE_THAN_HOW_MUCH = {"audit.ask_for_verification"}
"""Answers without an id, alike for businesses that have done as much."""
REFUSED_THOUGH_OWN = {
    "POST /api/v1/catalog/brands body id alone",
    "POST /api/v1/catalog/categories body id alone",
    "POST /api/v1/catalog/products body id alone",
    "POST /api/v1/catalog/price-lists body id alone",
    "POST /api/v1/custom-fields body id alone",
    "POST /api/v1/customers/customers body id alone",
    "POST /api/v1/sales/sales body id alone",
    "POST /api/v1/sales/sales body payments/0/claims alone",
    "POST /api/v1/sales/sales/{sale_id}/payments body payments/0/claims alone",
    "POST /api/v1/approvals/{approval_id}/approve-here body user_id alone",
    "GET /api/v1/approvals/{approval_id}/here path approval_id alone",
    "POST /api/v1/console/views body id alone",
    "POST /api/v1/payments/accounts body location_ids/0 alone",
    "POST /api/v1/payments/incoming body location_id alone",
    "POST /api/v1/payments/incoming body register_id alone",
    "GET /api/v1/payments/payments/{payment_id}/code path payment_id alone",
    "POST /api/v1/payments/reviews/{review_id}/resolve body subject_id alone",
    "POST /api/v1/reconciliation/differences/{difference_id}/resolve body subject_id alone",
    "POST /api/v1/reconciliation/sources body id alone",
    "POST /api/v1/catalog/price-lists body based_on_id alone",
    "POST /api/v1/payment_links/links body subject_id alone",
    "POST /api/v1/discounts/promotions body effect/parts/0/product_id alone",
    "PATCH /api/v1/discounts/promotions/{promotion_id} body effect/parts/0/product_id alone",
}
"""Where one's own id must be refused: taken, paid, a colleague's, or nothing without a PIN, a price, a gateway."""


@ON_POSTGRES
async def test_another_businesss_ids_look_like_ids_of_nothing_on_every_route(box: Box) -> None:
    prober = await Prober.ready(box)
    spots = [one for one in id_spots(box.app.routes) if one.route.operation not in ABOVE_ALL]
    in_path = [one for one in spots if one.place == "path"]
    plain = [one for one in spots if one.place != "path" and one.shape == "alone"]
    await prober.probe(in_path, EVERYBODY)
    await prober.probe([one for one in spots if one.shape not in ("alone", "all")], ("owner",))
    await prober.probe(plain, ("owner", "cashier"), most=2)
    report(prober, len(spots), box)
    assert prober.probes > 500
    assert not prober.findings, "\n".join(prober.findings)
    assert not prober.unprobed, "no id of theirs to put there: fill it in filling.py"
    unchecked = {one for one in prober.accepted if " body " in one and one not in REFUSED_THOUGH_OWN}
    assert unchecked == set(BLUNT)


@pytest.mark.prove
async def test_every_id_of_another_business_looks_like_an_id_of_nothing_to_every_role(box: Box) -> None:
    prober = await Prober.ready(box)
    spots = id_spots(box.app.routes)
    await prober.probe(spots, EVERYBODY, most=len(prober.theirs.every_id))
    report(prober, len(spots), box)
    assert prober.probes > 50_000
    assert not prober.findings, "\n".join(prober.findings[:50])


@ON_SQLITE
async def test_nothing_is_found_by_a_word_of_another_business(box: Box) -> None:
    prober = await Prober.ready(box)
    spots = naming_spots(box.app.routes)
    await prober.probe(spots, ("owner", "cashier"), most=4)
    report(prober, len(spots), box)
    assert prober.probes > 30
    assert not prober.unprobed, "no word of theirs to put there: fill it in filling.py"
    assert not prober.findings, "\n".join(prober.findings)


@ON_SQLITE
async def test_a_name_number_or_code_taken_elsewhere_is_free_here(box: Box) -> None:
    prober = await Prober.ready(box)
    spots = [one for one in word_spots(box.app.routes) if one.route.permission != "operator"]
    await prober.probe(spots, ("owner",))
    report(prober, len(spots), box)
    refused = sorted({str(one) for one in spots} - prober.accepted)
    assert len(refused) < len(spots) / 3, f"refused for other reasons: {refused}"
    assert not prober.findings, "\n".join(prober.findings)


@ON_SQLITE
async def test_nothing_of_another_business_stands_in_what_one_reads_without_naming_an_id(box: Box) -> None:
    """But for operators, who see which businesses there are: kernel/tests/test_operating.py."""
    prober = await Prober.ready(box)
    theirs = prober.theirs.every_id - prober.mine.every_id
    read = 0
    for role, route in itertools.product(EVERYBODY, box.app.routes):
        if route.method == "GET" and not (role == "operator" and route.permission == OPERATOR):
            call = plain_call(route, prober.own)
            limit = {"limit": "200", "include_total": "true"} if route in lists_of([route]) else {}
            text = (await dataclasses.replace(call, query=limit).send(box.client(role))).text
            assert MARKS[THEIRS] not in text, f"{route.operation} as {role}: {text}"
            assert not [one for one in theirs if one in text], f"{route.operation} as {role}: {text}"
            read += MARKS[MINE] in text
    print(f"{read} answers show one's own")
    assert read > 100


@ON_POSTGRES
async def test_the_probes_have_an_edge(box: Box) -> None:
    """What is foreign is alive for its owner, and one's own at the same spot is taken: a refusal speaks of the id."""
    prober = await Prober.ready(box)
    theirs = await Filling(box, THEIRS).known()
    owner, blunt = box.client("owner", THEIRS), []
    for spot in id_spots(box.app.routes):
        if str(spot) in REFUSED_THOUGH_OWN:
            continue
        if spot.shape == "alone" and spot.place == "path" and spot.route.method == "GET":
            answer = await plain_call(spot.route, theirs).send(owner)
            if answer.status_code != 200:
                blunt.append(f"{spot}: {answer.text}")
        if spot.shape == "alone" and spot.place == "body":
            mine = prober.own.get(spot.name) or prober.mine.ids[spot.name.removesuffix("_id")][0]
            answer = await spot.call(mine, prober.own).send(box.client("owner"))
            if answer.status_code >= 300:
                blunt.append(f"{spot}: {answer.text}")
    assert not blunt, "\n".join(blunt)
    above = {"kernel_epoch", "kernel_release", "kernel_deployment_setting", "kernel_audit_watch", "payments_region"}
    assert prober.theirs.empty <= above, "fill these tables in filling.py"


async def test_a_cursor_of_another_business_is_worth_as_much_as_a_forged_one(box: Box) -> None:
    for shop in (MINE, THEIRS):
        await Filling(box, shop).fill()
    tried, missing = 0, []
    for route in (one for one in lists_of(box.app.routes) if one.permission != OPERATOR):
        first = await box.client("owner", THEIRS).get(route.path, params={"limit": 1})
        cursor = first.json().get("next_cursor")
        if cursor is None:
            missing.append(route.path)
            continue
        turned = cursor[:-2] + ("A" if cursor[-2] != "A" else "B") + cursor[-1]
        again = await box.client("owner", THEIRS).get(route.path, params={"limit": 1, "cursor": cursor})
        assert again.status_code == 200, f"{route.path}: its owner cannot go on: {again.text}"
        answers = []
        for one in (cursor, turned):
            answer = await box.client("owner").get(route.path, params={"limit": 1, "cursor": one})
            answers.append((answer.status_code, {**answer.json(), "request_id": ""}, sorted(answer.headers)))
        assert answers[0] == answers[1], route.path
        assert (answers[0][0], answers[0][1]["code"]) == (400, "invalid-cursor"), route.path
        tried += 1
    print(f"{tried} lists")
    assert tried >= 15
    assert set(missing) <= {"/api/v1/businesses"}, "these lists are too short in filling.py to have a cursor"


@ON_SQLITE
async def test_an_idempotency_key_of_another_business_replays_nothing(box: Box) -> None:
    """Even for the same person, who works for both."""
    own = {shop: await Filling(box, shop).fill() for shop in (MINE, THEIRS)}
    clients = {MINE: box.client("owner"), THEIRS: await joining(box, "owner", THEIRS)}
    tried = 0
    for route in (one for one in box.app.routes if one.takes_key and one.plugin not in ("auth", "plugins")):
        key = uuid.uuid4().hex
        theirs = await plain_call(route, own[THEIRS], f"t{tried:07x}").send(clients[THEIRS], key)
        if theirs.status_code >= 300:
            continue
        mine = [await plain_call(route, own[MINE], f"t{tried:07x}").send(clients[MINE], key) for _ in "12"]
        assert mine[0].status_code == theirs.status_code, f"{route.operation}: {mine[0].text}"
        assert "idempotency-replayed" not in mine[0].headers, route.operation
        assert mine[1].headers["idempotency-replayed"] == "true", f"{route.operation} does not heed its key"
        assert mine[1].content == mine[0].content
        assert mine[0].content != theirs.content or route.operation in SAYS_NO_MORE_THAN_HOW_MUCH
        tried += 1
    print(f"{tried} routes")
    assert tried >= 15


async def joining(box: Box, role: str, shop: str) -> Client:
    """The person of a role of one's own, at work in the other business too."""
    person = box.people[MINE, role]

    async def join(work: Work) -> None:
        assert person.id
        await add_member(work, person.id, await role_named(work, "owner"))

    await box.act(join, shop=shop)
    assert person.id
    assert person.session_id
    claims = Claims(person.id, person.session_id, box.shops[shop].id)
    token = make_access_token(claims, box.deployment.secret, box.clock(), dt.timedelta(hours=1))
    return Client(box.http, token)


async def test_a_business_one_does_not_work_for_cannot_be_told_from_one_that_does_not_exist(box: Box) -> None:
    person = {"username": f"cashier@{MINE}.example", "password": PASSWORD}
    for role, path, said in (("cashier", "switch", {}), (None, "login", person)):
        client = box.client(role)
        assert (await client.post(f"/api/v1/auth/{path}", {**said, "business": MINE})).status_code == 200
        theirs = await client.post(f"/api/v1/auth/{path}", {**said, "business": THEIRS})
        nowhere = await client.post(f"/api/v1/auth/{path}", {**said, "business": "no-such-shop"})
        assert told(theirs) == told(nowhere)
        assert theirs.status_code in (401, 404)


async def test_a_token_for_a_business_one_left_opens_nothing(box: Box) -> None:
    person = box.people[MINE, "owner"]
    assert person.id
    assert person.session_id
    claims = Claims(person.id, person.session_id, box.other.id)
    token = make_access_token(claims, box.deployment.secret, box.clock(), dt.timedelta(hours=1))
    stranger = Client(box.http, token)
    for route in lists_of(box.app.routes):
        assert (await stranger.get(route.path)).status_code == 401, route.path


async def test_a_business_does_not_rename_staff_it_shares_with_another(box: Box) -> None:
    owner, shared = box.client("owner"), box.people[THEIRS, "cashier"].id

    async def join(work: Work) -> None:
        assert shared
        await add_member(work, shared, await role_named(work, "cashier"))

    await box.act(join)
    path = f"/api/v1/users/{shared}"
    read = await owner.get(path)
    refused = await owner.patch(path, {"name": "Renamed"}, version=int(read.headers["etag"].strip('"')))
    assert refused.status_code == 403
    assert (await box.client("owner", THEIRS).get(path)).json()["name"] == "Cashier"


def told(answer: httpx.Response) -> tuple[int, object, list[str]]:
    """An answer without its request id."""
    return answer.status_code, {**answer.json(), "request_id": ""}, sorted(answer.headers)


def report(prober: Prober, spots: int, box: Box) -> None:
    """Print what was done."""
    print(f"{prober.probes} probes, {prober.sent} requests: {len(box.app.routes)} routes, {spots} spots, ", end="")
    print(f"{len(prober.theirs.every_id)} ids of the other business")
