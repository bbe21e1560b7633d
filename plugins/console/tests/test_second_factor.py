"""Signing in with a second factor: the password stands in no page, and its half of the sign-in runs out."""

from __future__ import annotations

import pytest

from kernel.testing.box import PASSWORD, Box
from kernel.tests.factors import set_up
from plugins.console.services.halfway import GOOD_FOR_S
from plugins.console.testing import Browser, Shown

pytestmark = pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.prove)])


async def half_way(box: Box, browser: Browser) -> Shown:
    """The page that asks for the code."""
    page = await browser.get("/sign-in")
    said = {"username": "cashier@mama-njeri.example", "password": PASSWORD}
    return await browser.submit(page.form("/console/sign-in"), said)


async def test_the_code_finishes_what_the_password_began(box: Box) -> None:
    phone, _ = await set_up(box)
    browser = Browser(box, None)
    page = await half_way(box, browser)
    assert PASSWORD not in page.text
    wrong = await browser.submit(page.form("/console/sign-in"), {"code": "000000"})
    assert (wrong.status, PASSWORD in wrong.text) == (401, False)
    done = await browser.submit(wrong.form("/console/sign-in"), {"code": phone.code()})
    assert (done.status, str(done.answer.url)) == (200, "http://duka.test/console")


async def test_half_a_sign_in_runs_out_and_is_not_made_up(box: Box) -> None:
    phone, _ = await set_up(box)
    browser = Browser(box, None)
    page = await half_way(box, browser)
    made_up = await browser.submit(page.form("/console/sign-in"), {"half": "x", "code": phone.code()})
    assert (made_up.status, "The code came too late" in made_up.text) == (401, True)
    box.clock.pass_by(seconds=GOOD_FOR_S + 1)
    late = await browser.submit(page.form("/console/sign-in"), {"code": phone.code()})
    assert (late.status, "The code came too late" in late.text) == (401, True)
    again = dict(late.form("/console/sign-in").fields)
    assert (again["username"], again["password"]) == ("cashier@mama-njeri.example", "")
