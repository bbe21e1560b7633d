"""Invitations: a place offered by mail; nobody learns who has an account, nobody offers more than they hold (P23)."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import httpx
import msgspec
import sqlalchemy as sa

from kernel.auth.businesses.making import add_member, role_named
from kernel.auth.models import Membership, Role, User
from kernel.testing.box import PASSWORD, Box, Client
from kernel.tests.letters import everything_stored, person_id, post, role_id, text_of, token_in
from kernel.work import Work

INVITATIONS = "/api/v1/users/invitations"
ACCEPT, JOIN, SHOW = (f"/api/v1/auth/invitations/{deed}" for deed in ("accept", "join", "show"))
NEW, KNOWN = "achieng@shop.example", "cashier@sharma-kirana.example"


async def invite(box: Box, email: str = NEW, role: str = "cashier", by: str = "owner", **more: Any) -> httpx.Response:
    said = {"email": email, "role_id": await role_id(box, role), **more}
    return await box.client(by).post(INVITATIONS, said)


async def accept(box: Box, token: str, name: str = "Achieng", password: str = PASSWORD) -> httpx.Response:
    return await box.client(None).post(ACCEPT, {"token": token, "name": name, "password": password})


async def login(box: Box, email: str, password: str = PASSWORD, **more: Any) -> httpx.Response:
    said = {"username": email, "password": password, **more}
    return await box.client(None).post("/api/v1/auth/login", said)


async def signed_in(box: Box, email: str, password: str = PASSWORD) -> Client:
    return Client(box.http, (await login(box, email, password)).json()["access_token"])


async def members(box: Box) -> dict[str, str]:
    listed = (await box.client("owner").get("/api/v1/users", params={"limit": 200})).json()["items"]
    return {one["email"]: one["role"] for one in listed}


async def states(box: Box) -> list[tuple[str, str]]:
    listed = (await box.client("owner").get(INVITATIONS)).json()["items"]
    return [(one["email"], one["state"]) for one in listed]


async def first_password(box: Box, email: str, name: str) -> dict[str, str]:
    role = await role_id(box, "cashier")
    return {"email": email, "role_id": role, "name": name, "password": "a long first password"}


async def let(box: Box, role: str, *permissions: str) -> None:
    async def run(work: Work) -> None:
        here = sa.and_(Role.business_id == work.business_id, Role.code == role)
        await work.execute(sa.update(Role).where(here).values(added=list(permissions)))

    await box.act(run)


async def test_a_new_person_accepts_by_making_an_account_and_is_welcomed(box: Box) -> None:
    made = await invite(box, NEW.upper(), name="Achieng")
    assert made.status_code == 201, made.text
    assert made.json()["state"] == "open"
    assert made.headers["location"] == f"{INVITATIONS}/{made.json()['id']}"
    (letter,) = await post(box)
    assert (letter["To"], letter["Subject"]) == (NEW, "Owner invites you to Mama Njeri Stores")
    token = token_in(letter)
    shown = (await box.client(None).post(SHOW, {"token": token})).json()
    assert shown == {
        "business": "mama-njeri",
        "business_name": "Mama Njeri Stores",
        "role": "Cashier",
        "email": NEW,
        "has_account": False,
    }
    assert NEW not in await members(box)
    joined = await accept(box, token)
    assert (joined.status_code, joined.json()) == (201, {"business": "mama-njeri", "email": NEW})
    assert (await members(box))[NEW] == "Cashier"
    me = (await (await signed_in(box, NEW)).get("/api/v1/auth/me")).json()
    assert (me["name"], me["is_email_verified"], me["business"]["slug"]) == ("Achieng", True, "mama-njeri")
    (welcome,) = await post(box)
    assert (welcome["To"], welcome["Subject"]) == (NEW, "Welcome to Mama Njeri Stores")
    assert "Cashier" in text_of(welcome)
    assert await states(box) == [(NEW, "accepted")]
    assert (await accept(box, token)).status_code == 422


async def test_someone_with_an_account_signs_in_and_joins_keeping_name_and_password(box: Box) -> None:
    await invite(box, KNOWN, name="Another Name")
    (letter,) = await post(box)
    token = token_in(letter)
    refused = await accept(box, token, "Hijacker", "a password of another")
    assert (refused.status_code, refused.json()["code"]) == (409, "account-exists")
    person = await signed_in(box, KNOWN)
    assert (await person.post("/api/v1/auth/switch", {"business": "mama-njeri"})).status_code == 404
    assert (await person.post(JOIN, {"token": token})).status_code == 200
    assert (await person.post("/api/v1/auth/switch", {"business": "mama-njeri"})).status_code == 200
    me = (await person.get("/api/v1/auth/me")).json()
    assert (me["name"], len(me["businesses"])) == ("Cashier", 2)


async def test_an_invitation_is_for_the_address_it_was_sent_to(box: Box) -> None:
    await invite(box, KNOWN)
    token = token_in((await post(box))[0])
    thief = box.client("owner", "sharma-kirana")
    refused = await thief.post(JOIN, {"token": token})
    nonsense = await thief.post(JOIN, {"token": "m_" + "x" * 43})
    assert refused.status_code == nonsense.status_code == 422
    assert {**refused.json(), "request_id": ""} == {**nonsense.json(), "request_id": ""}
    assert (await (await signed_in(box, KNOWN)).post(JOIN, {"token": token})).status_code == 200


async def test_a_business_is_told_the_same_whether_the_person_has_an_account(box: Box) -> None:
    role, owner, told = await role_id(box, "cashier"), box.client("owner"), []
    first = {"name": "Somebody", "role_id": role, "password": "a long first password"}
    bare = {"name": "Somebody", "role_id": role}
    tried = ((NEW, INVITATIONS, bare), (KNOWN, INVITATIONS, bare), ("b@x.example", "/api/v1/users", first))
    for email, path, said in (*tried, ("manager@sharma-kirana.example", "/api/v1/users", first)):
        answer = await owner.post(path, said | {"email": email})
        assert answer.status_code == 201, answer.text
        one = (await owner.get(f"{INVITATIONS}/{answer.json()['id']}")).json()
        assert one == answer.json()
        found = (await owner.get("/api/v1/users", params={"limit": 200})).text
        told.append(({**one, "id": "", "email": ""}, sorted(answer.headers), email in found))
        assert (await owner.post(path, said | {"email": email})).status_code == 409
    assert told == [told[0]] * 4
    assert told[0][2] is False
    letters = await post(box)
    assert len({text_of(letter).replace(token_in(letter), "") for letter in letters}) == 1
    assert len(letters) == 4


async def test_the_broken_twin_that_adds_a_known_person_at_once_is_found_out(box: Box) -> None:
    async def twin(work: Work) -> None:
        found = await work.execute(sa.select(User.id).where(User.email == KNOWN))
        await add_member(work, found.scalar_one(), await role_named(work, "cashier"))

    await box.act(twin)
    assert KNOWN in (await box.client("owner").get("/api/v1/users", params={"limit": 200})).text


async def test_a_first_password_works_from_the_first_sign_in_on(box: Box) -> None:
    said = await first_password(box, NEW, "Achieng")
    assert (await box.client("owner").post("/api/v1/users", said)).status_code == 201
    assert NEW not in await members(box)
    assert (await login(box, NEW, "another long password")).status_code == 401
    assert await states(box) == [(NEW, "open")]
    pair = await login(box, NEW, "a long first password", business="mama-njeri")
    assert (pair.status_code, pair.json()["business"]["slug"]) == (200, "mama-njeri")
    assert (await members(box))[NEW] == "Cashier"
    assert await states(box) == [(NEW, "accepted")]
    me = (await Client(box.http, pair.json()["access_token"]).get("/api/v1/auth/me")).json()
    assert (me["name"], me["is_email_verified"]) == ("Achieng", False)


async def test_a_first_password_is_never_that_of_an_account_there_was(box: Box) -> None:
    said = await first_password(box, KNOWN, "Thief")
    assert (await box.client("owner").post("/api/v1/users", said)).status_code == 201
    assert (await login(box, KNOWN, "a long first password")).status_code == 401
    assert (await login(box, KNOWN, business="mama-njeri")).status_code == 401
    pair = (await login(box, KNOWN)).json()
    assert pair["business"]["slug"] == "sharma-kirana"


async def test_a_first_password_that_is_reset_by_mail_takes_its_waiting_place_along(box: Box) -> None:
    """Whoever made the account knew its password: the person behind the address joins only by accepting."""
    await box.client("owner").post("/api/v1/users", await first_password(box, NEW, "Achieng"))
    invitation = token_in((await post(box))[0])
    await box.client(None).post("/api/v1/auth/password/forgot", {"email": NEW})
    reset = {"token": token_in((await post(box))[0]), "password": "a password of my own"}
    assert (await box.client(None).post("/api/v1/auth/password/reset", reset)).status_code == 204
    assert (await login(box, NEW, "a password of my own")).json()["business"] is None
    person = await signed_in(box, NEW, "a password of my own")
    assert (await person.post(JOIN, {"token": invitation})).status_code == 200
    assert (await members(box))[NEW] == "Cashier"


async def test_nobody_makes_the_platform_owners_account_for_them(box: Box) -> None:
    """It becomes an operator by its address alone, so that only its own mail may make it."""
    box.deployment.settings = msgspec.structs.replace(box.deployment.settings, platform_owner_email=NEW.title())
    made = await box.client("owner").post("/api/v1/users", await first_password(box, NEW, "Thief"))
    assert made.status_code == 201
    assert (await login(box, NEW, "a long first password")).status_code == 401
    mailed = token_in((await post(box))[0])
    code = (await box.client("owner").post(f"{INVITATIONS}/{made.json()['id']}/code")).json()["code"]
    assert (await accept(box, code)).json()["code"] == "account-exists"
    assert (await accept(box, mailed)).status_code == 422
    await box.client("owner").post(f"{INVITATIONS}/{made.json()['id']}/resend")
    assert (await accept(box, token_in((await post(box))[0]))).status_code == 201


async def test_a_retry_of_adding_a_person_adds_one(box: Box) -> None:
    said = await first_password(box, NEW, "Achieng")
    answers = [await box.client("owner").post("/api/v1/users", said, key="same") for _ in range(3)]
    assert {answer.content for answer in answers} == {answers[0].content}
    assert [answer.headers.get("idempotency-replayed") for answer in answers] == [None, "true", "true"]
    assert len(await post(box)) == 1
    other = await box.client("owner").post("/api/v1/users", said | {"password": "another first password"}, key="same")
    assert other.status_code == 422
    assert "a long first password" not in await everything_stored(box)


async def test_invitations_at_once_make_one(box: Box) -> None:
    role = await role_id(box, "cashier")
    said = {"email": NEW, "role_id": role}
    answers = await asyncio.gather(*(box.client("owner").post(INVITATIONS, said) for _ in range(6)))
    assert sorted({answer.status_code for answer in answers}) == [201, 409]
    assert [state for _, state in await states(box)] == ["open"]


async def test_one_link_followed_at_once_makes_one_account(box: Box) -> None:
    await invite(box)
    token = token_in((await post(box))[0])
    answers = await asyncio.gather(*(accept(box, token) for _ in range(5)))
    assert [answer.status_code for answer in answers].count(201) == 1
    assert {answer.status_code for answer in answers} <= {201, 409, 422}

    async def count(work: Work) -> int:
        return int((await work.execute(sa.select(sa.func.count()).where(User.email == NEW))).scalar_one())

    assert await box.look(count) == 1


async def test_nobody_invites_above_their_own_role(box: Box) -> None:
    assert (await invite(box, by="manager")).status_code == 403
    await let(box, "manager", "users.manage")
    assert (await invite(box, role="owner", by="manager")).status_code == 403
    assert (await invite(box, role="stock_keeper", by="manager")).status_code == 201
    owners = (await invite(box, "b@x.example", role="owner")).json()["id"]
    for deed in ("resend", "code"):
        assert (await box.client("manager").post(f"{INVITATIONS}/{owners}/{deed}")).status_code == 403
    assert (await box.client("manager").send("DELETE", f"{INVITATIONS}/{owners}")).status_code == 403
    assert ("b@x.example", "open") in await states(box)


async def test_an_invitation_falls_with_the_right_of_whoever_made_it(box: Box) -> None:
    await let(box, "manager", "users.manage")
    await invite(box, role="stock_keeper", by="manager")
    first = {"email": "b@x.example", "role_id": await role_id(box, "stock_keeper"), "name": "B", "password": PASSWORD}
    assert (await box.client("manager").post("/api/v1/users", first)).status_code == 201
    token = token_in((await post(box))[0])
    await let(box, "manager")
    assert (await accept(box, token)).status_code == 422
    assert (await login(box, "b@x.example", business="mama-njeri")).status_code == 401
    assert (await login(box, "b@x.example")).json()["business"] is None
    open_one = next(one for one in (await box.client("owner").get(INVITATIONS)).json()["items"] if one["email"] == NEW)
    assert (await box.client("owner").post(f"{INVITATIONS}/{open_one['id']}/resend")).status_code == 200
    token = token_in((await post(box))[-1])
    assert (await accept(box, token)).status_code == 201


async def test_a_role_that_grew_since_the_invitation_is_not_handed_out(box: Box) -> None:
    await let(box, "manager", "users.manage")
    await invite(box, role="stock_keeper", by="manager")
    token = token_in((await post(box))[0])
    await let(box, "stock_keeper", "roles.manage")
    assert (await accept(box, token)).status_code == 422
    assert NEW not in await members(box)


async def test_sending_again_makes_the_earlier_link_worthless(box: Box) -> None:
    id_ = (await invite(box)).json()["id"]
    first = token_in((await post(box))[0])
    box.clock.pass_by(days=6)
    assert (await box.client("owner").post(f"{INVITATIONS}/{id_}/resend")).status_code == 200
    second = token_in((await post(box))[0])
    assert (await accept(box, first)).status_code == 422
    box.clock.pass_by(days=6)
    assert (await accept(box, second)).status_code == 201


async def test_a_revoked_invitation_is_dead_and_the_address_free(box: Box) -> None:
    said = {"email": NEW, "role_id": await role_id(box, "cashier"), "name": "A", "password": PASSWORD}
    id_ = (await box.client("owner").post("/api/v1/users", said)).json()["id"]
    token = token_in((await post(box))[0])
    assert (await box.client("owner").send("DELETE", f"{INVITATIONS}/{id_}")).status_code == 204
    assert (await box.client(None).post(SHOW, {"token": token})).status_code == 422
    assert (await login(box, NEW, business="mama-njeri")).status_code == 401
    assert NEW not in await members(box)
    assert (await box.client("owner").send("DELETE", f"{INVITATIONS}/{id_}")).status_code == 404
    assert (await box.client("owner").post(f"{INVITATIONS}/{id_}/resend")).status_code == 404
    assert (await invite(box)).status_code == 201
    assert sorted(await states(box)) == [(NEW, "open"), (NEW, "revoked")]


async def test_an_invitation_lives_for_seven_days(box: Box) -> None:
    said = {"email": "b@x.example", "role_id": await role_id(box, "cashier"), "name": "B", "password": PASSWORD}
    await box.client("owner").post("/api/v1/users", said)
    await invite(box)
    tokens = [token_in(letter) for letter in await post(box)]
    box.clock.pass_by(days=7)
    for token in tokens:
        assert (await accept(box, token)).status_code == 422
    assert (await login(box, "b@x.example", business="mama-njeri")).status_code == 401
    assert {state for _, state in await states(box)} == {"expired"}
    assert (await invite(box)).status_code == 201


async def test_a_code_is_handed_over_where_there_is_no_mail_and_proves_no_address(box: Box) -> None:
    id_ = (await invite(box)).json()["id"]
    mailed = token_in((await post(box))[0])
    made = await box.client("owner").post(f"{INVITATIONS}/{id_}/code")
    code = made.json()["code"]
    assert (made.status_code, code in await everything_stored(box)) == (200, False)
    assert (await accept(box, mailed)).status_code == 422
    assert (await accept(box, code)).status_code == 201
    me = (await (await signed_in(box, NEW)).get("/api/v1/auth/me")).json()
    assert me["is_email_verified"] is False


async def test_someone_who_left_comes_back_by_an_invitation(box: Box) -> None:
    id_ = person_id(box, "cashier")
    owner = box.client("owner")
    assert (await owner.patch(f"/api/v1/users/{id_}", {"is_active": False}, version=1)).status_code == 200
    await invite(box, "cashier@mama-njeri.example", "stock_keeper")
    token = token_in((await post(box))[0])
    person = await signed_in(box, "cashier@mama-njeri.example")
    assert (await person.post(JOIN, {"token": token})).status_code == 200
    assert (await members(box))["cashier@mama-njeri.example"] == "Stock keeper"


async def test_an_address_is_not_flooded_with_letters(box: Box) -> None:
    id_ = (await invite(box)).json()["id"]
    statuses = [(await box.client("owner").post(f"{INVITATIONS}/{id_}/resend")).status_code for _ in range(6)]
    assert statuses == [200] * 4 + [429] * 2


async def test_another_businesss_invitation_is_none(box: Box) -> None:
    id_ = (await invite(box)).json()["id"]
    token = token_in((await post(box))[0])
    theirs = box.client("owner", "sharma-kirana")
    assert (await theirs.get(f"{INVITATIONS}/{id_}")).status_code == 404
    for deed in ("resend", "code"):
        for id_here in (id_, str(uuid.uuid4())):
            assert (await theirs.post(f"{INVITATIONS}/{id_here}/{deed}")).status_code == 404
    assert (await theirs.send("DELETE", f"{INVITATIONS}/{id_}")).status_code == 404
    assert (await accept(box, token)).status_code == 201

    async def places(work: Work) -> int:
        mine = sa.select(sa.func.count()).select_from(Membership).join(User, User.id == Membership.user_id)
        return int((await work.execute(mine.where(User.email == NEW))).scalar_one())

    assert await box.look(places) == 1
