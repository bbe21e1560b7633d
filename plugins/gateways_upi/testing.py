"""Builders for tests: an Indian shop that takes UPI by its own address, as its people use it over the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import httpx

from kernel.testing.box import Box, Client

SHOP: Final = "sharma-kirana"
SALES: Final = "/api/v1/sales/sales"
PAYMENTS: Final = "/api/v1/payments"
ADDRESS: Final = "sharmakirana@okhdfcbank"
BARCODE: Final = "8901234567890"


@dataclass(frozen=True)
class UpiShop:
    """A shop with one product of ₹250.00. account: of the gateway `upi`."""

    box: Box
    place: str
    product: str
    account: str

    def as_(self, role: str) -> Client:
        """Somebody of the shop."""
        return self.box.client(role, SHOP)

    async def sell(self, *payments: dict[str, Any]) -> httpx.Response:
        """One of the product, rung up by the cashier."""
        cart = {"location_id": self.place, "lines": [{"product_id": self.product}], "payments": list(payments)}
        return await self.as_("cashier").post(SALES, cart)

    async def ask(self, method: str = "upi") -> dict[str, Any]:
        """A sale that waits for its code to be paid, once the code is made; the payment as it stands then."""
        made = await self.sell({"method": method, "amount": "250.00"})
        assert made.status_code == 202, made.text
        await self.box.run_jobs()
        return await self.payment(made.json()["payments"][0]["id"])

    async def seen(self, payment: dict[str, Any], number: str, role: str = "cashier", **more: Any) -> httpx.Response:
        """Somebody says that its money is there, under a number."""
        path = f"{PAYMENTS}/payments/{payment['id']}/confirm-by-hand"
        return await self.as_(role).post(path, {"reference": number, **more})

    async def noted(self, number: str, amount: str = "250.00", role: str = "cashier", **more: Any) -> httpx.Response:
        """Somebody says that money came by the code at the counter."""
        said = {"method": "upi", "location_id": self.place, "reference": number, "amount": amount, **more}
        return await self.as_(role).post(f"{PAYMENTS}/incoming", said)

    async def payment(self, payment_id: str) -> dict[str, Any]:
        """A payment as it stands."""
        found: dict[str, Any] = (await self.as_("cashier").get(f"{PAYMENTS}/payments/{payment_id}")).json()
        return found

    async def sale(self, payment: dict[str, Any]) -> dict[str, Any]:
        """The sale of a payment."""
        found: dict[str, Any] = (await self.as_("cashier").get(f"{SALES}/{payment['subject_id']}")).json()
        return found

    async def questions(self) -> list[dict[str, Any]]:
        """What a person has still to decide about money."""
        answer = await self.as_("manager").get(f"{PAYMENTS}/reviews", params={"state": "open"})
        found: list[dict[str, Any]] = answer.json()["items"]
        return found

    async def decide(self, question: dict[str, Any], action: str, **more: Any) -> httpx.Response:
        """The manager decides."""
        return await self.as_("manager").post(
            f"{PAYMENTS}/reviews/{question['id']}/resolve", {"action": action, **more}
        )


async def an_upi_shop(box: Box, **config: Any) -> UpiShop:
    """Switch UPI on in India for tests, open the shop's account, and put something on the shelf."""
    owner, path = box.client("owner", SHOP), "/api/v1/operating/payments/regions/IN/upi/test"
    switched = await box.client("operator", SHOP).send("PUT", path, json={"is_on": True}, headers={"If-Match": '"0"'})
    assert switched.status_code == 200, switched.text
    said = {"address": ADDRESS, "name": "Sharma Kirana", "category": "5411", **config}
    account = await owner.post(
        f"{PAYMENTS}/accounts", {"gateway": "upi", "label": "Counter", "mode": "test", "config": said}
    )
    assert account.status_code == 201, account.text
    rice = {"sku": "RICE", "name": "Rice", "price": "250.00", "barcodes": [BARCODE], "track_stock": False}
    product = await owner.post("/api/v1/catalog/products", rice)
    assert product.status_code == 201, product.text
    place = str(await box.location(shop=SHOP))
    return UpiShop(box, place, product.json()["id"], account.json()["id"])
