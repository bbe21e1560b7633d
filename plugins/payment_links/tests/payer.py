"""Somebody who has the address of a page."""

from __future__ import annotations

from typing import Any

from plugins.payments.testing.toy_box import ToyBox


class Payer:
    """Somebody with the address of a page, and no more."""

    def __init__(self, toy: ToyBox, address: str) -> None:
        self.toy, self.path = toy, address.removeprefix(toy.box.deployment.settings.public_address)

    async def look(self, **headers: str) -> Any:
        return await self.toy.box.http.get(self.path, headers=headers)

    async def send(self, **fields: str) -> Any:
        """Send the page's form, and go where it leads."""
        answer = await self.toy.box.http.post(self.path, data=fields)
        if answer.status_code != 303:
            return answer
        self.path = answer.headers["Location"]
        return await self.look()

    async def pays(self, method: str = "toy", phone: str = "0712 345 678", **more: str) -> Any:
        return await self.send(method=method, phone=phone, **more)

    async def goes_on(self) -> Any:
        """Let everything happen that is due, and look again."""
        await self.toy.box.run_jobs()
        return await self.look()
