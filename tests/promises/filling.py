"""A shop with one or two of everything there is, made through the API; every text of it carries the shop's mark."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from kernel.audit import Sealer, anchor_day
from kernel.auth.businesses.tripping import write_strikes
from kernel.auth.identity import standing_of_business
from kernel.auth.secrets import totp
from kernel.errors import Failure
from kernel.testing.box import PASSWORD, Box, Client
from kernel.work import Work
from plugins.agent_float.testing import fill as fill_agent
from plugins.payment_links.testing import fill as fill_links
from plugins.payments.testing import a_review, an_account, fill_gateways
from plugins.reconciliation.testing import fill_statements
from tests.promises.bodies import FILES
from tests.promises.once import once

MARKS = {"mama-njeri": "Kitale", "sharma-kirana": "Zanskar"}
"""A word in every text of a shop: seen in another shop's answer, something leaked."""

LISTS = {
    "brand_id": "catalog/brands",
    "category_id": "catalog/categories",
    "product_id": "catalog/products",
    "class_id": "taxes/classes",
    "customer_id": "customers/customers",
    "group_id": "customers/groups",
    "location_id": "locations",
    "register_id": "sales/registers",
    "key_id": "keys",
    "till_id": "tills",
    "user_id": "users",
    "role_id": "roles",
    "invitation_id": "users/invitations",
    "sign_in_id": "auth/sign-ins",
    "copy_of": "roles",
    "approval_id": "approvals",
    "job_id": "jobs",
    "promotion_id": "discounts/promotions",
    "coupon_id": "discounts/coupons",
    "sale_id": "sales/sales",
    "held_id": "sales/held",
    "payment_id": "payments/payments",
    "refund_id": "payments/refunds",
    "money_id": "payments/incoming",
    "review_id": "payments/reviews",
    "account_id": "payments/accounts",
    "receipt_id": "inventory/receipts",
    "adjustment_id": "inventory/adjustments",
    "expense_id": "daybook/expenses",
    "link_id": "payment_links/links",
    "cash_line_id": "agent_float/lines",
    "transaction_id": "agent_float/transactions",
    "audit_id": "audit",
    "import_id": "catalog/imports",
    "product_edit_id": "catalog/product-edits",
    "price_list_id": "catalog/price-lists",
    "based_on_id": "catalog/price-lists",
    "custom_field_id": "custom-fields",
    "source_id": "reconciliation/sources",
    "statement_id": "reconciliation/imports",
    "difference_id": "reconciliation/differences",
    "deposit_id": "reconciliation/deposits",
}
"""Where the things stand that paths name."""


class Filling:
    """Fills one shop; `own` names one thing of each kind that requests may name."""

    def __init__(self, box: Box, shop: str) -> None:
        self.box, self.shop, self.mark = box, shop, MARKS[shop]
        self.owner = box.client("owner", shop)
        self.own: dict[str, str] = {"business_id": str(box.shops[shop].id), "plugin": "sales"}
        self.own["list_name"] = "catalog.products"

    async def fill(self) -> dict[str, str]:
        """Make everything; returns `own`. A fresh box is given what was made for the first of them."""
        self.own |= await once(self.box, f"fill {self.shop}", self._fill)
        return self.own

    async def _fill(self) -> dict[str, str]:
        await self.fields()
        await self.shelves()
        await self.people()
        await self.places()
        await self.settings()
        await self.doors()
        await self.goods()
        await self.stock()
        await self.prices()
        await self.selling()
        await fill_gateways(self.box, self.shop, self.own, self.text)
        await fill_statements(self.box, self.shop, self.own, self.text)
        await fill_links(self.box, self.shop, self.own, self.text)
        await fill_agent(self.box, self.shop, self.own, self.text)
        await self.books()
        await self.jobs()
        await self.failures()
        await self.evidence()
        await self.approving()
        await self.dashboard()
        await self.views()
        await self.leaving()
        return self.own

    async def known(self) -> dict[str, str]:
        """What `fill` would have named, of a shop that is filled already: the first of each list."""
        for name, path in LISTS.items():
            listed = (await self.owner.get(f"/api/v1/{path}")).json()["items"]
            self.own[name] = listed[0]["id"]
        lines = (await self.owner.get("/api/v1/agent_float/lines")).json()["items"]
        self.own |= {"from_line_id": lines[0]["id"]}
        self.own["batch_id"] = (await self.owner.get("/api/v1/discounts/coupons")).json()["items"][0]["batch_id"]
        self.own |= dict.fromkeys(("float_line_id", "line_id", "to_line_id"), lines[1]["id"])
        seen = (await self.owner.get(f"/api/v1/console/lists/{self.own['list_name']}")).json()
        self.own["view_id"] = seen["views"][0]["id"]
        with_packs = (await self.owner.get("/api/v1/catalog/products")).json()["items"][0]
        image = {"product_id": with_packs["id"], "v": with_packs["image"]["small"].partition("?v=")[2], "px": "96"}
        several = {
            f"{kind}_ids": self.own[f"{kind}_id"] for kind in ("promotion", "product", "category", "brand", "group")
        }
        return self.own | several | image | {"pack_id": with_packs["packs"][0]["id"], "line": "1"}

    async def make(self, path: str, body: Any) -> dict[str, Any]:
        """POST as the owner; it must succeed."""
        answer = await self.owner.post(f"/api/v1{path}", body)
        assert answer.status_code in (200, 201), f"{path}: {answer.text}"
        said: dict[str, Any] = answer.json()
        return said

    def text(self, words: str) -> str:
        """Words with the shop's mark."""
        return f"{self.mark} {words}"

    def code(self, letters: str) -> str:
        """A code with the shop's mark."""
        return f"{self.mark}-{letters}".upper()

    async def settings(self) -> None:
        """What is set for a place of the shop, and by operators for all of them."""
        said, here = {"values": {"below_cost": "ask"}}, f"/api/v1/locations/{self.own['location_id']}/settings/sales"
        for client, path in ((self.owner, here), (self.box.client("operator"), "/api/v1/operating/settings/sales")):
            answer = await client.send("PATCH", path, json=said, headers={"If-Match": "*"})
            assert answer.status_code == 200, answer.text

    async def dashboard(self) -> None:
        """The owner's dashboard, arranged."""
        said = {"cards": [{"card": "analytics.today", "size": "l"}]}
        answer = await self.owner.send("PUT", "/api/v1/console/dashboard", json=said, headers={"If-Match": "*"})
        assert answer.status_code == 200, answer.text

    async def views(self) -> None:
        """Views of lists, of the owner's alone and of everybody's; the owner's columns, under one and without."""
        seen = {"list_name": self.own["list_name"], "query": {"q": self.text("rice")}}
        for n, is_shared in (("1", False), ("2", True)):
            made = await self.make("/console/views", seen | {"name": self.text(f"view {n}"), "is_shared": is_shared})
            self.own["view_id"] = made["id"]
        for view_id in (None, self.own["view_id"]):
            said = {"view_id": view_id, "columns": [{"column": "sku"}]}
            path = f"/api/v1/console/lists/{self.own['list_name']}/columns"
            answer = await self.owner.send("PUT", path, json=said, headers={"If-Match": "*"})
            assert answer.status_code == 200, answer.text

    async def fields(self) -> None:
        """Fields of the shop's own."""
        for entity in ("sales.sale", "customers.customer", "catalog.product"):
            for key in ("origin", "memo"):
                said = {"entity": entity, "key": key, "label": self.text(key), "kind": "text"}
                self.own["custom_field_id"] = (await self.make("/custom-fields", said))["id"]

    async def shelves(self) -> None:
        """Tax classes, categories, brands."""
        own, region = self.own, self.box.shops[self.shop].region
        for n in "12":
            rates = [{"region": region, "rate": "8", "valid_from": "2021-01-01"}]
            said = {"name": self.text(f"class {n}"), "code": self.code(f"class{n}").lower(), "rates": rates}
            made = await self.make("/taxes/classes", said)
            own["class_id"] = own["tax_class_id"] = made["id"]
            own["brand_id"] = (await self.make("/catalog/brands", {"name": self.text(f"brand {n}")}))["id"]
        own["parent_id"] = (await self.make("/catalog/categories", {"name": self.text("goods")}))["id"]
        below = {"name": self.text("food"), "parent_id": own["parent_id"]}
        own["category_id"] = (await self.make("/catalog/categories", below))["id"]

    async def people(self) -> None:
        """Groups, customers, a colleague."""
        digits = {"KE": "07123456", "IN": "98765432"}[self.box.shops[self.shop].region]
        for n in "12":
            group = {"code": self.code(f"g{n}").lower(), "name": self.text(f"group {n}")}
            self.own["group_id"] = (await self.make("/customers/groups", group))["id"]
            customer = {
                "name": self.text(f"customer {n}"),
                "phone": f"{digits}7{n}",
                "email": f"{self.mark}{n}@mail.example".lower(),
                "address": self.text("road"),
                "note": self.text("note"),
                "group_id": self.own["group_id"],
                "custom": {"origin": self.text("village")},
            }
            self.own["customer_id"] = (await self.make("/customers/customers", customer))["id"]
        roles = (await self.owner.get("/api/v1/roles")).json()["items"]
        self.own["role_id"] = next(one["id"] for one in roles if one["code"] == "cashier")
        person = {"email": f"{self.mark}@staff.example".lower(), "name": self.text("helper"), "password": PASSWORD}
        await self.make("/users", person | {"role_id": self.own["role_id"]})
        for email in (person["email"], f"owner@{self.shop}.example"):
            await self.box.client(None).post("/api/v1/auth/login", {"username": email, "password": PASSWORD})
        listed = (await self.owner.get("/api/v1/users", params={"limit": 200})).json()["items"]
        self.own["user_id"] = next(one["id"] for one in listed if one["email"] == person["email"])
        for n in "12":
            guest = {"email": f"{self.mark}{n}@guest.example".lower(), "name": self.text(f"guest {n}")}
            invited = await self.make("/users/invitations", guest | {"role_id": self.own["role_id"]})
            self.own["invitation_id"] = invited["id"]
        self.own["sign_in_id"] = (await self.owner.get("/api/v1/auth/sign-ins")).json()["items"][0]["id"]

    async def places(self) -> None:
        """A further storefront and a till."""
        place = {"code": self.code("west"), "name": self.text("West"), "kind": "storefront"}
        self.own["location_id"] = (await self.make("/locations", place))["id"]
        till = {"location_id": self.own["location_id"], "code": self.mark[:2].upper(), "name": self.text("till")}
        self.own["register_id"] = (await self.make("/sales/registers", till))["id"]

    async def doors(self) -> None:
        """Keys, tills and a PIN; the second factor of the colleague."""
        for n in "12":
            key = {"name": self.text(f"key {n}"), "scopes": ["locations.manage"]}
            self.own["key_id"] = (await self.make("/keys", key))["id"]
            till = {"name": self.text(f"till {n}"), "location_id": self.own["location_id"]}
            self.own["till_id"] = (await self.make("/tills", till | {"register_id": self.own["register_id"]}))["id"]
        colleague = {"username": f"{self.mark}@staff.example".lower(), "password": PASSWORD}
        signed = await self.box.client(None).post("/api/v1/auth/login", colleague)
        await self.own_doors(Client(self.box.http, signed.json()["access_token"]))

    async def own_doors(self, person: Client) -> None:
        """A PIN and a second factor of somebody's own."""
        pinned = await person.post("/api/v1/auth/my-pin", {"pin": "7294", "password": PASSWORD})
        assert pinned.status_code == 204, pinned.text
        begun = await person.post("/api/v1/auth/second-factor", {"password": PASSWORD})
        secret = totp.from_text(begun.json()["secret"])
        code = totp.code_at(secret, totp.step_of(self.box.clock()))
        confirmed = await person.post("/api/v1/auth/second-factor/confirm", {"code": code})
        assert confirmed.status_code == 200, confirmed.text

    async def goods(self) -> None:
        """Products with packs and barcodes."""
        references = {name: self.own[name] for name in ("category_id", "brand_id", "tax_class_id")}
        for n in "21":
            said = {
                "sku": self.code(f"sku{n}"),
                "name": self.text(f"rice {n}"),
                "description": self.text("grain"),
                "price": "380.00",
                "min_stock": "9999999",
                "barcodes": [self.code(f"bar{n}")],
                "custom": {"origin": self.text("mill")},
                "packs": [{"name": self.text("carton"), "factor": "12", "barcode": self.code(f"pack{n}")}],
            }
            made = await self.make("/catalog/products", said | references)
            self.own["product_id"], self.own["pack_id"] = made["id"], made["packs"][0]["id"]
            picked = {"product_id": made["id"], "version": 1}
            changed = {"products": [picked], "change": {"hsn_code": "1006", "custom": {"origin": self.text("field")}}}
            self.own["product_edit_id"] = (await self.make("/catalog/product-edits", changed))["id"]
        self.own["code"] = self.own["barcode"] = self.code("bar1")
        await self.files()

    async def files(self) -> None:
        """Images of the products, and tables of products that wait to be applied."""
        for product in (await self.owner.get("/api/v1/catalog/products")).json()["items"]:
            path = f"/api/v1/catalog/products/{product['id']}"
            image = {"content": FILES["image/png"], "headers": {"Content-Type": "image/png"}}
            assert (await self.owner.send("POST", f"{path}/image", **image)).status_code == 204
            self.own["v"] = (await self.owner.get(path)).json()["image"]["small"].partition("?v=")[2]
        self.own["px"] = "96"
        for n in "12":
            name = self.text(f"bran {n}").replace('"', '""')
            table = f'sku,name,price,category,brand\n{self.code(f"in{n}")},"{name}",1,,\n'.encode()
            sent = {"content": table, "headers": {"Content-Type": "text/csv"}}
            self.own["import_id"] = (await self.owner.send("POST", "/api/v1/catalog/imports", **sent)).json()["id"]

    async def stock(self) -> None:
        """Receipts and adjustments, and with them levels and moves."""
        products = [one["id"] for one in (await self.owner.get("/api/v1/catalog/products")).json()["items"]]
        for n in "12":
            more: list[Any] = [{"product_id": one, "quantity": "90000"} for one in products]
            less: list[Any] = [{"product_id": one, "quantity": "-1"} for one in products]
            place = {"location_id": self.own["location_id"]}
            receipt = {"supplier": self.text(f"mill {n}"), "note": self.text("note"), "lines": more, **place}
            self.own["receipt_id"] = (await self.make("/inventory/receipts", receipt))["id"]
            wrong = {"reason": self.text("broken"), "lines": less, **place}
            self.own["adjustment_id"] = (await self.make("/inventory/adjustments", wrong))["id"]

    async def prices(self) -> None:
        """A promotion that runs, and a draft with coupons."""
        said = {"kind": "percent", "value": "10", "product_id": self.own["product_id"]}
        many = {"limits": {"uses": 1_000_000}}
        running = await self.make("/discounts/promotions", said | many | {"name": self.text("week")})
        await self.make(f"/discounts/promotions/{running['id']}/activate", None)
        draft = await self.make("/discounts/promotions", said | {"name": self.text("draft"), "by_coupon": True})
        self.own["promotion_id"] = self.own["promotion_ids"] = draft["id"]
        self.own |= {f"{kind}_ids": self.own[f"{kind}_id"] for kind in ("product", "category", "brand", "group")}
        for n in "12":
            coupon = {"promotion_id": draft["id"], "code": self.code(f"gift{n}"), "uses": 3}
            await self.make("/discounts/coupons", coupon)
        listed = (await self.owner.get("/api/v1/discounts/coupons")).json()["items"]
        self.own |= {"coupon_id": listed[0]["id"], "batch_id": listed[0]["batch_id"]}
        await self.lists()

    async def lists(self) -> None:
        """Price lists with a planned price each, and a price of a product that is planned."""
        for n in "12":
            made = await self.make("/catalog/price-lists", {"name": self.text(f"list {n}")})
            self.own["price_list_id"] = self.own["based_on_id"] = made["id"]
            price = {"product_id": self.own["product_id"], "price": "370.00", "starts_at": "2027-01-01T00:00:00Z"}
            path = f"/api/v1/catalog/price-lists/{made['id']}/prices"
            put = await self.owner.send("PUT", path, json={"prices": [price]}, headers={"If-Match": '"1"'})
            assert put.status_code == 200, put.text
            self.own["price_id"] = (await self.owner.get(path)).json()["items"][0]["id"]
            planned = {"price": f"39{n}", "starts_at": f"2027-01-0{n}T00:00:00Z"}
            said = await self.make(f"/catalog/products/{self.own['product_id']}/prices", planned)
            self.own["planned_id"] = said["id"]

    async def selling(self) -> None:
        """Held carts; three sales, of which one is voided and one partly paid back."""
        own = self.own
        cart: dict[str, Any] = {name: own[name] for name in ("location_id", "register_id", "customer_id")}
        cart |= {"lines": [{"product_id": own["product_id"]}, {"barcode": own["barcode"]}], "note": self.text("note")}
        for n in "12":
            held = await self.make("/sales/held", cart | {"label": self.text(f"cart {n}")})
            own["held_id"] = held["id"]
        for _ in "123":
            paid = [{"method": "cash", "amount": "900.00", "tendered": "900.00"}]
            own_words = {"custom": {"origin": self.text("table")}}
            sale = await self.make("/sales/sales", cart | {"payments": paid} | own_words)
            own["sale_id"], own["payment_id"] = sale["id"], sale["payments"][0]["id"]
            if _ == "1":
                await self.make(f"/sales/sales/{sale['id']}/void", {"reason": self.text("mistake")})
        back = {"payment_id": own["payment_id"], "amount": "1.00", "reason": self.text("spoilt")}
        own["refund_id"] = (await self.make("/payments/refunds", back))["id"]
        for n in "12":
            own["review_id"] = await a_review(self.box, shop=self.shop, payer=self.text(f"payer {n}"))
            if n == "1":
                decided = {"action": "accept", "note": self.text("kept")}
                await self.make(f"/payments/reviews/{own['review_id']}/resolve", decided)
            label = self.text(f"account {n}")
            found = await self.box.act(lambda work, label=label: an_account(work, label), shop=self.shop)  # type: ignore[misc]
            own["account_id"] = str(found)
        own["subject_id"], own["document_id"], own["line"] = own["sale_id"], own["sale_id"], "1"

    async def books(self) -> None:
        """Expenses; the day book writes the rest by itself."""
        for n in "12":
            said = {"location_id": self.own["location_id"], "amount": "50.00", "category": self.text(f"tea {n}")}
            made = await self.make("/daybook/expenses", said | {"note": self.text("note"), "payee": self.text("kiosk")})
            self.own["expense_id"], self.own["date"] = made["id"], made["business_date"]

    async def evidence(self) -> None:
        """Somebody let in, events at the till, and a trail that is sealed and anchored."""
        until = (self.box.clock() + dt.timedelta(hours=9)).isoformat()
        await self.make("/support-access", {"until": until, "reason": self.text("stock count")})
        for _ in "12":
            event = {"kind": "drawer_opened", "reason": self.text("change")}
            await self.make(f"/sales/registers/{self.own['register_id']}/events", event)
        business = self.box.shops[self.shop].id
        await Sealer(self.box.deployment, standing_of_business).seal_one(business)
        await self.box.act(anchor_day, shop=self.shop)
        self.own["audit_id"] = (await self.owner.get("/api/v1/audit")).json()["items"][0]["id"]

    async def asked(self, cart: Mapping[str, str], percent: str) -> str:
        """A request for approval of a discount, made by a cashier."""
        discount = {"percent": percent, "reason": self.text("friend")}
        line = {"product_id": self.own["product_id"], "discount": discount}
        said = {**cart, "lines": [line], "payments": [{"method": "cash", "amount": "900.00"}]}
        answer = await self.box.client("cashier", self.shop).post("/api/v1/sales/sales", said)
        assert answer.json()["code"] == "approval-required", answer.text
        return str(answer.json()["approval"])

    async def approving(self) -> None:
        """Two requests for approval, by a cashier; a role of the shop's own."""
        cart = {name: self.own[name] for name in ("location_id", "register_id", "customer_id")}
        for percent in ("60", "70"):
            self.own["approval_id"] = await self.asked(cart, percent)
        made = await self.make("/roles", {"name": self.text("role"), "permissions": ["sales.see"]})
        self.own["copy_of"], self.own["location_ids"] = made["id"], self.own["location_id"]

    async def leaving(self) -> None:
        """A customer who was erased."""
        leaver = await self.make("/customers/customers", {"name": self.text("leaver")})
        await self.make(f"/customers/customers/{leaver['id']}/erase", {"reason": self.text("wish")})

    async def jobs(self) -> None:
        """Jobs that wait."""

        async def later(work: Work) -> str:
            work.later("sales.probe", {"words": self.text("job")})
            return str(work.later("sales.probe", {"words": self.text("job")}))

        self.own["job_id"] = await self.box.act(later, shop=self.shop)

    async def failures(self) -> None:
        """An answer of a plugin that failed, once."""
        strikes, words = self.box.deployment.strikes, self.text("failed")
        failure = Failure("discounts", "price_line", "skip", words)
        strikes.note(self.box.shops[self.shop].id, failure, self.box.clock.now)
        await write_strikes(self.box.deployment)
