"""Who signs in is told by mail when what they sign in with changes, without a secret in the letter (P23, P38)."""

from __future__ import annotations

from kernel.testing.box import PASSWORD, Box
from kernel.tests.at_tills import MY_PIN, SECRET_DIGITS, set_pin
from kernel.tests.factors import FACTOR, set_up
from kernel.tests.letters import everything_stored, person_id, post, text_of

CASHIER, OWNER = "cashier@mama-njeri.example", "owner@mama-njeri.example"


async def told(box: Box) -> list[tuple[str, str]]:
    """To whom, and about what, the letters are that are due."""
    return [(str(one["To"]), str(one["Subject"])) for one in await post(box)]


async def test_every_change_of_the_second_factor_is_told(box: Box) -> None:
    phone, codes = await set_up(box)
    (letter,) = await post(box)
    assert (letter["To"], letter["Subject"]) == (CASHIER, "Your second factor is on")
    assert "/console/security" in text_of(letter)
    cashier = box.client("cashier")
    said = {"password": PASSWORD, "code": phone.code()}
    renewed = await cashier.post(f"{FACTOR}/recovery-codes", said)
    assert await told(box) == [(CASHIER, "You have new recovery codes")]
    off = {"password": PASSWORD, "code": renewed.json()["recovery_codes"][0]}
    assert (await cashier.post(f"{FACTOR}/switch-off", off)).status_code == 204
    assert await told(box) == [(CASHIER, "Your second factor is off")]
    stored = await everything_stored(box)
    assert not [one for one in (*codes, *renewed.json()["recovery_codes"]) if one in stored]


async def test_a_factor_switched_off_by_somebody_else_is_told_to_its_person(box: Box) -> None:
    await set_up(box)
    await post(box)
    path = f"/api/v1/users/{person_id(box, 'cashier')}/second-factor"
    assert (await box.client("owner").send("DELETE", path)).status_code == 204
    assert await told(box) == [(CASHIER, "Your second factor is off")]
    assert (await box.client("owner").send("DELETE", path)).status_code == 204
    assert await told(box) == [], "there was nothing to switch off"


async def test_a_pin_that_is_set_or_taken_away_is_told(box: Box) -> None:
    await set_pin(box)
    (letter,) = await post(box)
    assert (letter["To"], letter["Subject"]) == (CASHIER, "Your PIN at Mama Njeri Stores was changed")
    assert SECRET_DIGITS not in text_of(letter)
    assert (await box.client("cashier").send("DELETE", MY_PIN)).status_code == 204
    assert await told(box) == [(CASHIER, "Your PIN at Mama Njeri Stores was taken away")]
    assert (await box.client("cashier").send("DELETE", MY_PIN)).status_code == 204
    assert await told(box) == []


async def test_a_key_made_in_somebodys_name_and_its_end_are_told_to_them(box: Box) -> None:
    owner = box.client("owner")
    made = (await owner.post("/api/v1/keys", {"name": "Web shop", "scopes": ["users.see"]})).json()
    (letter,) = await post(box)
    assert (letter["To"], letter["Subject"]) == (OWNER, "An API key was made in your name at Mama Njeri Stores")
    assert "Web shop" in text_of(letter)
    assert made["key"] not in letter.as_string()
    for _ in "12":
        assert (await owner.send("DELETE", f"/api/v1/keys/{made['id']}")).status_code == 204
    assert await told(box) == [(OWNER, "Your API key at Mama Njeri Stores was ended")]
