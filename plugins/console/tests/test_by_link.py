"""Pages that mailed links lead to, without scripts: the token stands behind the #, and is pasted with the link."""

from __future__ import annotations

import pytest

from kernel.testing.box import Box
from plugins.console.testing import Browser

pytestmark = pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.prove)])
INVITATIONS = "/api/v1/users/invitations"


async def an_invitation(box: Box) -> str:
    """The code of an invitation that was handed over."""
    owner = box.client("owner")
    role = next(one for one in (await owner.get("/api/v1/roles")).json()["items"] if one["code"] == "cashier")
    said = {"email": "achieng@duka.example", "name": "Achieng", "role_id": role["id"]}
    made = await owner.post(INVITATIONS, said)
    assert made.status_code == 201, made.text
    return str((await owner.post(f"{INVITATIONS}/{made.json()['id']}/code")).json()["code"])


async def test_an_invitation_is_accepted_without_scripts_by_pasting_its_link(box: Box) -> None:
    code, browser = await an_invitation(box), Browser(box, None)
    said = {"token": f" http://duka.test/console/join#{code}\n", "name": "Achieng", "password": "short"}
    page = await browser.get("/join")
    assert "<noscript>" in page.text
    refused = await browser.submit(page.form("/console/join"), said)
    assert refused.status == 422
    kept = dict(refused.form("/console/join").fields)
    assert (kept["token"], kept["name"]) == (code, "Achieng"), "what was right need not be said again"
    done = await browser.submit(refused.form("/console/join"), {"password": "three words and a number"})
    assert "Welcome!" in done.text
    assert (await browser.get("/account")).status == 200, "signed in: nothing is typed twice"


async def test_the_token_stands_in_no_address(box: Box) -> None:
    code, browser = await an_invitation(box), Browser(box, None)
    sent = await browser.http.post("/console/join", data={"token": code, "name": "", "password": ""})
    assert code not in str(sent.url)
    assert sent.headers["referrer-policy"] in ("no-referrer", "same-origin")
    assert "no-store" in sent.headers["cache-control"]
