"""The manifest: what a plugin declares about itself. Its `__init__` holds one, as PLUGIN, and imports nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet

__all__ = ["ROLES", "CatchUp", "Changed", "Consequence", "Limit", "Obligation", "Permission", "Picture", "Plugin"]

NAME = re.compile(r"[a-z][a-z0-9_]{1,39}\Z")

REGION = re.compile(r"[A-Z]{2}\Z")

FIGURE = re.compile(r"(0|[1-9][0-9]{0,11})(\.[0-9]{1,6})?\Z", re.ASCII)
"""A decimal string as limits are written: at most twelve whole digits and six decimals."""

PICTURE = re.compile(r"pictures/[a-z0-9][a-z0-9_-]{0,59}\.(png|webp)\Z", re.ASCII)
MOST_PICTURES = 6

RESERVED = frozenset(
    {
        *("kernel", "auth", "users", "roles", "businesses", "locations", "settings", "plugins", "audit", "jobs"),
        *("keys", "tills", "till", "custom", "custom_fields", "regions"),
        *("duka", "duka_kept"),
        *("api", "openapi", "health", "metrics", "static", "docs", "operating", "approvals"),
    }
)
"""Names that stand for the kernel in paths, tables, jobs and permissions."""

ROLES = ("owner", "manager", "cashier", "stock_keeper", "accountant")
"""The shipped roles of a business. The owner holds every permission of every enabled plugin."""


@dataclass(frozen=True)
class Permission:
    """Something a role may do, named `<plugin>.<verb>`, in words a shopkeeper understands."""

    name: str
    words: str


@dataclass(frozen=True)
class Limit:
    """How far a permission reaches: a figure that each role holds, named `<plugin>.<noun>`.

    bounds: the permission it limits. unit: a percentage, or an amount in the business's currency.
    defaults: shipped role → a decimal string, or None for no limit. A role that is not named begins with "0": it holds
    the permission only as far as somebody else approves. Owners are never limited.
    """

    name: str
    words: str
    unit: Literal["percent", "amount"]
    bounds: str
    defaults: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Picture:
    """A picture of what a plugin looks like, for who thinks of turning it on.

    file: `pictures/<name>.png` or `.webp` below the plugin's `static`, 40 KiB at most. words: what it shows, for who
    cannot see it, and below it.
    """

    file: str
    words: str


@dataclass(frozen=True)
class Plugin:
    """What a plugin is called, stands on, and asks for.

    name: 2 to 40 lower-case letters, digits and _; the plugin's tables, paths, jobs and permissions begin with it.
    version: by PEP 440. title, summary: what people read.
    kernel: the versions of Duka it works with, as a PEP 440 range.
    permissions: what its routes ask for. limits: how far such a permission reaches.
    depends, optional, conflicts: names with optional PEP 440 ranges, e.g. `"catalog>=0.1"`.
    grants: shipped role → names of permissions it starts with (the owner starts with all).
    before, after: names of plugins that its answers to hooks come before or after, where both are enabled; what it
    depends on comes before it anyway.
    settings: dotted path below the plugin to a msgspec Struct, e.g. `"schemas:Settings"`; empty for none.
    hosts: network hosts it talks to, as `name` or `name:port`; a plan shows them.
    regions: those it is of use in (ISO 3166-1 alpha-2), for who chooses what to turn on; empty for everywhere.
    fiscal: tables that the law wants kept; they stay, read-only, when the plugin is uninstalled.
    begins: names of its commands, as functions of `routes`, that begin what it must end (see `obligations`); they are
    refused while it drains, everything else goes on.
    pictures: of its pages, six at most; the first says most.
    """

    name: str
    version: str
    title: str
    summary: str
    kernel: str = ">=0.1"
    depends: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    permissions: tuple[Permission, ...] = ()
    limits: tuple[Limit, ...] = ()
    grants: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    settings: str = ""
    hosts: tuple[str, ...] = ()
    fiscal: tuple[str, ...] = ()
    begins: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()
    regions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not NAME.match(self.name):
            raise ValueError(f"plugin name {self.name!r}: lower-case letters, digits and _ only, 2 to 40 of them")
        if self.name in RESERVED or self.name.startswith("kernel_"):
            raise ValueError(f"plugin name {self.name!r}: the kernel's own; choose another")
        SpecifierSet(self.kernel)
        for said in (*self.depends, *self.optional, *self.conflicts):
            _requirement(self.name, said)
        for other in (*self.before, *self.after):
            if not NAME.match(other) or other == self.name:
                raise ValueError(f"plugin {self.name}: before and after name other plugins, not {other!r}")
        for table in (one for one in self.fiscal if not one.startswith(f"{self.name}_")):
            raise ValueError(f"plugin {self.name}: fiscal table {table!r} must start with '{self.name}_'")
        if strange := [one for one in self.regions if not REGION.match(one)]:
            raise ValueError(f"plugin {self.name}: regions are two capital letters each, not {strange[0]!r}")
        own = {p.name for p in self.permissions}
        for wrong in (p for p in own if not p.startswith(self.name + ".")):
            raise ValueError(f"plugin {self.name}: permission {wrong!r} must start with '{self.name}.'")
        for role, names in self.grants.items():
            if role not in ROLES:
                raise ValueError(f"plugin {self.name}: grants to unknown role {role!r}; known: {', '.join(ROLES)}")
            if unknown := set(names) - own:
                raise ValueError(f"plugin {self.name}: grants undeclared permissions {sorted(unknown)}")
        _check_pictures(self.name, self.pictures)
        for limit in self.limits:
            _check_limit(self.name, limit, own)

    def requirements(self) -> dict[str, SpecifierSet]:
        """The hard dependencies: plugin name → range."""
        return {r.name: r.specifier for r in (_requirement(self.name, said) for said in self.depends)}

    def wishes(self) -> dict[str, SpecifierSet]:
        """The optional dependencies: plugin name → range."""
        return {r.name: r.specifier for r in (_requirement(self.name, said) for said in self.optional)}

    def rivals(self) -> dict[str, SpecifierSet]:
        """The plugins it cannot be enabled beside: name → range."""
        return {r.name: r.specifier for r in (_requirement(self.name, said) for said in self.conflicts)}


@dataclass(frozen=True)
class Obligation:
    """Something a plugin has begun for a business and must end: open returns, payments on their way, unspent credit.

    name: a code of the plugin's own. count: how many. finish: in words, what ends them.
    """

    name: str
    words: str
    count: int
    finish: str = ""


@dataclass(frozen=True)
class CatchUp:
    """What a plugin makes good when it is switched on late or again: in words, and of how many things."""

    words: str
    count: int


@dataclass(frozen=True)
class Changed:
    """One document that would have come out otherwise; amounts as decimal strings."""

    id: str
    words: str
    before: str
    after: str


@dataclass(frozen=True)
class Consequence:
    """What past documents would have come to, had a plan been applied before them.

    examined: how many were looked at, of so many that there are. before, after: their sums, as decimal strings.
    """

    title: str
    examined: int
    of: int
    before: str
    after: str
    changed: tuple[Changed, ...] = ()


def _check_pictures(plugin: str, pictures: tuple[Picture, ...]) -> None:
    if len(pictures) > MOST_PICTURES:
        raise ValueError(f"plugin {plugin}: {len(pictures)} pictures; {MOST_PICTURES} at most")
    for one in pictures:
        if not PICTURE.match(one.file) or not one.words.strip():
            raise ValueError(f"plugin {plugin}: picture {one.file!r}: pictures/<name>.png or .webp, and words for it")


def _check_limit(plugin: str, limit: Limit, permissions: set[str]) -> None:
    if not limit.name.startswith(plugin + ".") or limit.name in permissions:
        raise ValueError(f"plugin {plugin}: limit {limit.name!r} must start with '{plugin}.' and be no permission")
    if limit.bounds not in permissions:
        raise ValueError(f"plugin {plugin}: limit {limit.name!r} bounds {limit.bounds!r}, which it does not declare")
    for role, value in limit.defaults.items():
        if role not in ROLES or role == "owner":
            raise ValueError(f"plugin {plugin}: limit {limit.name!r} for {role!r}; only shipped roles below the owner")
        if value is not None and not FIGURE.match(value):
            raise ValueError(f"plugin {plugin}: limit {limit.name!r} of {value!r}; a decimal string is wanted")


def _requirement(plugin: str, said: str) -> Requirement:
    try:
        return Requirement(said)
    except InvalidRequirement as fault:
        raise ValueError(f"plugin {plugin}: {said!r} is not a name with a version range: {fault}") from fault
