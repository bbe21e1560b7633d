"""What the kernel itself lets roles do, and what a role comes to once plugins have had their say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kernel.money import parse_micro
from kernel.plugin import Limit, Permission
from kernel.registry import Registry

PERMISSIONS = (
    Permission("business.manage", "Change the business's details"),
    Permission("locations.manage", "Add and change storefronts and warehouses"),
    Permission("custom_fields.manage", "Give products, customers and others fields of the business's own"),
    Permission("users.see", "See who works here"),
    Permission("users.manage", "Add people, change their roles, switch them off"),
    Permission("roles.manage", "Change what roles may do"),
    Permission("keys.manage", "Make and revoke keys by which programs act for the business"),
    Permission("tills.manage", "Register devices as tills, and revoke them"),
    Permission("plugins.manage", "Switch plugins on and off"),
    Permission("settings.manage", "Change what plugins let the business set"),
    Permission("jobs.see", "See background jobs"),
    Permission("audit.see", "See the audit trail"),
    Permission("support.grant", "Let operators of the deployment in for a while"),
    Permission("approvals.answer", "Approve what goes beyond others' limits"),
)
TILL = "till"
"""What a registered till's device holds, with nobody signed in at it; no role can hold it."""
WITHOUT_A_PERSON = frozenset({"locations.manage", "custom_fields.manage", "users.see", "jobs.see", "audit.see"})
"""What an API key and a sign-in by PIN may hold of the kernel's permissions; any other takes a person."""
AT_TILL_TOO = frozenset({"approvals.answer"})
"""What a sign-in by PIN may hold besides, and a key may not: a key would approve what its own maker asked for."""
GRANTS: dict[str, tuple[str, ...]] = {
    "manager": ("custom_fields.manage", "users.see", "jobs.see", "audit.see", "approvals.answer"),
    "accountant": ("audit.see",),
}
ROLE_NAMES = {
    "owner": "Owner",
    "manager": "Manager",
    "cashier": "Cashier",
    "stock_keeper": "Stock keeper",
    "accountant": "Accountant",
}


def not_in_person(held: frozenset[str], *, at_till: bool = False) -> frozenset[str]:
    """What is left of a role for an API key, or for a sign-in by PIN at a till."""
    allowed = WITHOUT_A_PERSON | AT_TILL_TOO if at_till else WITHOUT_A_PERSON
    return held - ({one.name for one in PERMISSIONS} - allowed)


class Rights:
    """Works out what roles hold, and remembers: the answer depends on the role's row and the enabled set alone."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._known: dict[tuple[str | None, tuple[str, ...], tuple[str, ...], frozenset[str]], frozenset[str]] = {}
        self._limits: dict[tuple[Any, ...], Mapping[str, int | None]] = {}

    def of(
        self, code: str | None, added: Iterable[str], removed: Iterable[str], enabled: frozenset[str]
    ) -> frozenset[str]:
        """The permissions a role holds while a set of plugins is on; those of other plugins lie dormant."""
        key = (code, tuple(added), tuple(removed), enabled)
        if key not in self._known:
            if len(self._known) > 10_000:
                self._known.clear()
            self._known[key] = self._work_out(*key)
        return self._known[key]

    def limits_of(
        self, code: str | None, stored: Mapping[str, str | None], enabled: frozenset[str]
    ) -> Mapping[str, int | None]:
        """How far a role's permissions reach, scaled by MICRO: as the business set it, else as plugins ship it."""
        key = (code, tuple(sorted(stored.items())), enabled)
        if key not in self._limits:
            if len(self._limits) > 10_000:
                self._limits.clear()
            self._limits[key] = {
                limit.name: None if (said := written_limit(limit, code, stored)) is None else parse_micro(said)
                for limit in self._registry.limits(enabled)
            }
        return self._limits[key]

    def declared_limits(self, enabled: Iterable[str]) -> list[Limit]:
        """Every limit there is while a set of plugins is on."""
        return self._registry.limits(enabled)

    def declared(self, enabled: Iterable[str]) -> list[Permission]:
        """Every permission there is while a set of plugins is on."""
        return [*PERMISSIONS, *self._registry.permissions(enabled)]

    def shipped(self, code: str | None, enabled: Iterable[str]) -> frozenset[str]:
        """What a role starts with before the business edits it; one of the business's own starts with nothing."""
        granted = set(GRANTS.get(code or "", ()))
        for one in self._registry.in_order(enabled):
            granted |= set(one.manifest.grants.get(code or "", ()))
        return frozenset(granted)

    def _work_out(
        self, code: str | None, added: tuple[str, ...], removed: tuple[str, ...], enabled: frozenset[str]
    ) -> frozenset[str]:
        there = {permission.name for permission in self.declared(enabled)}
        if code == "owner":
            return frozenset(there)
        return frozenset(((self.shipped(code, enabled) | set(added)) - set(removed)) & there)


def written_limit(limit: Limit, code: str | None, stored: Mapping[str, str | None]) -> str | None:
    """A role's limit as it is written: a decimal string, or None for no limit."""
    if code == "owner":
        return None
    return stored[limit.name] if limit.name in stored else limit.defaults.get(code or "", "0")
