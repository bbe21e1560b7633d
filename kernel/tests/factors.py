"""A phone with an authenticator app, and people who have set one up."""

from __future__ import annotations

from typing import Any

import httpx

from kernel.auth.secrets import totp
from kernel.testing.box import PASSWORD, Box

LOGIN, FACTOR = "/api/v1/auth/login", "/api/v1/auth/second-factor"


class Phone:
    """Somebody's authenticator app."""

    def __init__(self, box: Box, secret: str) -> None:
        self.box, self.secret = box, totp.from_text(secret)

    def code(self, steps: int = 0) -> str:
        return totp.code_at(self.secret, totp.step_of(self.box.clock()) + steps)


async def set_up(box: Box, role: str = "cashier") -> tuple[Phone, list[str]]:
    """Switch a person's factor on; the clock then goes on by a step, so that a fresh code is at hand."""
    client = box.client(role)
    begun = await client.post(FACTOR, {"password": PASSWORD})
    assert begun.status_code == 201, begun.text
    phone = Phone(box, begun.json()["secret"])
    confirmed = await client.post(f"{FACTOR}/confirm", {"code": phone.code()})
    assert confirmed.status_code == 200, confirmed.text
    box.clock.pass_by(seconds=totp.STEP_S)
    return phone, confirmed.json()["recovery_codes"]


async def login(box: Box, role: str = "cashier", password: str = PASSWORD, **more: Any) -> httpx.Response:
    said = {"username": f"{role}@mama-njeri.example", "password": password, **more}
    return await box.client(None).post(LOGIN, said)


def told(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]
