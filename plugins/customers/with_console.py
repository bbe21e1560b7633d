"""Customers in the console: found, looked into, added and changed; their groups."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from kernel.hooks import answers
from plugins.console.api import Find, Found, Heading, Listing, Nav, Page, Seen

CUSTOMERS: Final = Listing(
    "customers.customers",
    (
        Heading("name", "Name"),
        Heading("phone", "Phone"),
        Heading("email", "E-mail", "long"),
        Heading("group", "Group"),
        Heading("state", "State"),
    ),
)


@answers
def console_nav() -> Sequence[Nav]:
    """Where the customers are."""
    return (Nav("trade", "Customers", "/customers/customers", "users", "customers.see", order=30),)


@answers
def console_pages() -> Sequence[Page]:
    """The list, one of them, a new one, and the groups."""
    return (
        Page("/customers", "console/customers.html", "Customers", "customers.see", _list, lists=CUSTOMERS),
        Page("/customers/new", "console/customer.html", "New customer", "customers.edit", _new),
        Page(
            "/customers/{customer_id}", "console/customer.html", "Customer", "customers.see", _one, subject="customer"
        ),
        Page("/groups", "console/groups.html", "Groups of customers", "customers.see", _groups_page),
    )


@answers
def console_finds() -> Sequence[Find]:
    """Customers by name, phone or address."""
    return (Find("customers", "Customers", "user", _find, "customers.see", order=30),)


async def _list(seen: Seen) -> Mapping[str, Any]:
    asked = {name: seen.query.get(name) for name in ("q", "group_id", "kind", "is_active", "sort", "cursor")}
    listed, groups = await asyncio.gather(seen.get("/customers/customers", limit=50, **asked), _groups(seen))
    return {"listed": listed, "groups": groups, "names": dict(groups)}


async def _one(seen: Seen) -> Mapping[str, Any]:
    path = f"/customers/customers/{seen.path['customer_id']}"
    (customer, tag), groups = await asyncio.gather(seen.get_tagged(path), _groups(seen))
    sales = None
    if seen.has("sales") and seen.may("sales.see"):
        sales = await seen.look("/sales/sales", customer_id=customer["id"], limit=10)
    return {"customer": customer, "tag": tag, "groups": groups, "sales": sales, "title": customer["name"]}


async def _new(seen: Seen) -> Mapping[str, Any]:
    return {"customer": None, "tag": "", "groups": await _groups(seen), "sales": None}


async def _groups_page(seen: Seen) -> Mapping[str, Any]:
    return {"listed": await seen.get("/customers/groups", limit=200)}


async def _groups(seen: Seen) -> list[tuple[str, str]]:
    found = await seen.get("/customers/groups", limit=200)
    return [(one["id"], one["name"]) for one in found["items"]]


async def _find(seen: Seen, words: str) -> Sequence[Found]:
    listed = await seen.get("/customers/customers", q=words, limit=5)
    return [Found(one["name"], f"/customers/customers/{one['id']}", one["phone"] or "") for one in listed["items"]]
