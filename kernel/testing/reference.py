"""The reference pages, written from the code: hooks, manifest, errors, permissions, personal data, roles, settings.

Run as a module, this writes them.

A test compares each page with what this module would write, so that they cannot drift apart.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_type_hints

import msgspec

from kernel.app.build import kernel_routes, plugin_routes
from kernel.auth.rights.permissions import GRANTS, PERMISSIONS, Rights, written_limit
from kernel.db.personal import INFO, Carries, Impersonal, Names, Personal, Secret
from kernel.hooks import policy_of
from kernel.hooks.policies import ASK_MS, TELL_MS
from kernel.personal import tables_of
from kernel.plugin import ROLES, Limit
from kernel.registry import Registry, discover
from kernel.settings import PREFIX, Settings
from kernel.testing.declared import errors_page, manifest_page
from kernel.testing.surface import PRESENT, present_text
from kernel.web import IN_PERSON, OPERATOR, PUBLIC, SIGNED_IN, TILL
from kernel.work.configuring import title_of
from kernel.work.levels import LEVELS, levels_of

FOLDER = Path("docs/reference")


def pages(registry: Registry) -> dict[str, str]:
    """File name → text of every generated page."""
    return {
        "errors.md": errors_page(registry),
        "hooks.md": hooks_page(registry),
        "manifest.md": manifest_page(),
        "permissions.md": permissions_page(registry),
        "personal-data.md": personal_data_page(registry),
        "roles.md": roles_page(registry),
        "settings.md": settings_page(registry),
    }


def hooks_page(registry: Registry) -> str:
    """Every hook: its owner, its signature, its docstring, and who answers it, in the order they run."""
    everyone = registry.hooks_for(registry.plugins)
    lines = [
        "# Hooks",
        "",
        "Written from the code. A hook belongs to the plugin that calls it; answer it in your `listeners.py`, or in",
        "`with_<owner>.py` where the owner is an optional dependency, with `@answers` from `kernel.hooks`.",
        "",
        "Every hook says what a failing answer means. `refuse`: the deed is undone, and the person is told which",
        "plugin failed. `skip`: the plugin's answers to this hook are left out of the deed, and the rest goes on;",
        "three failures within ten minutes trip them: they are left out until somebody resets the plugin. An answer",
        "fails when it raises anything but a `DukaError`, takes longer than the hook allows, is not what the signature",
        "and the text say, or reaches for the transaction. `@spec` alone says `refuse` and allows",
        f'{ASK_MS:,} ms, for an `async` hook {TELL_MS:,} ms; `@spec(failing="skip", budget_ms=200)` says otherwise.',
        "More in `docs/plugins/misbehaving.md`.",
        "",
    ]
    for name, spec in sorted(
        everyone.specs().items(), key=lambda one: (_owner(one[1]) != "kernel", _owner(one[1]), one[0])
    ):
        answered = ", ".join(dict.fromkeys(everyone.listeners(name))) or "nobody yet"
        lines += [
            f"## `{name}`",
            "",
            f"Owner: `{_owner(spec)}` · kind: {_kind(spec)} · answered by: {answered}",
            "",
            f"A failing answer: {_policy(spec)}",
            "",
            "```python",
            _signature(spec),
            "```",
            "",
            inspect.cleandoc(spec.__doc__ or ""),
            "",
        ]
    return "\n".join(lines)


def permissions_page(registry: Registry) -> str:
    """Every permission in words, and which shipped role starts with it."""
    lines = [
        "# Permissions",
        "",
        "Written from the code. The owner holds every permission of every enabled plugin; one of a plugin that is off",
        "lies dormant.",
        "",
        f"| permission | what it lets a person do | {' | '.join(ROLES[1:])} |",
        f"|---|---|{'---|' * len(ROLES[1:])}",
    ]
    for permission in (*PERMISSIONS, *registry.permissions()):
        plugin = registry.plugins.get(permission.name.partition(".")[0])
        grants = plugin.manifest.grants if plugin else GRANTS
        marks = ["✓" if permission.name in grants.get(role, ()) else "" for role in ROLES[1:]]
        lines.append(f"| `{permission.name}` | {permission.words} | {' | '.join(marks)} |")
    return "\n".join([*lines, "", *limits_table(registry)]) + "\n"


def limits_table(registry: Registry) -> list[str]:
    """Every limit in words, and how far each shipped role starts with going."""
    roles = ROLES[1:]
    lines = [
        "## Limits",
        "",
        "How far a permission reaches. Owners are never limited; a role of one's own begins at 0. Amounts are in the",
        "business's currency; – where the role does not hold the permission.",
        "",
        f"| limit | what it bounds | permission | {' | '.join(roles)} |",
        f"|---|---|---|{'---|' * len(roles)}",
    ]
    for limit in registry.limits():
        grants = registry.plugins[limit.name.partition(".")[0]].manifest.grants
        values = [_far(limit, role) if limit.bounds in grants.get(role, ()) else "–" for role in roles]
        lines.append(f"| `{limit.name}` | {limit.words} | `{limit.bounds}` | {' | '.join(values)} |")
    return lines


def roles_page(registry: Registry) -> str:
    """Every route against every shipped role, as they are before a business edits them."""
    rights, every = Rights(registry), frozenset(registry.plugins)
    held = {role: rights.of(role, (), (), every) for role in ROLES}
    lines = [
        "# Who may call what",
        "",
        "Written from the code; every cell is tested. ✓: let in. A business may edit every role but the owner's, and",
        "add its own. Operators of the deployment are let in where it says so; inside a business, as their role there.",
        "",
        f"| route | permission | {' | '.join(ROLES)} |",
        f"|---|---|{'---|' * len(ROLES)}",
    ]
    for route in [*kernel_routes(), *plugin_routes(registry)]:
        is_open = route.permission in (PUBLIC, SIGNED_IN, IN_PERSON)
        marks = ["✓" if is_open or route.permission in held[role] else "" for role in ROLES]
        lines.append(f"| `{route.method} {route.path}` | {_asked(route.permission)} | {' | '.join(marks)} |")
    return "\n".join(lines) + "\n"


def personal_data_page(registry: Registry) -> str:
    """Every column that holds, or may hold, somebody's data, and what becomes of it when they are erased."""
    lines = [
        "# Personal data",
        "",
        "Written from the code: the columns that hold somebody's data, may carry it inside, or say whose a row is. All",
        "other columns hold ids, amounts, times, flags, codes, or what their declaration says is nobody's.",
        "",
        "| column | holds | whose | when they are erased |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| `{table.name}.{column.name}` | {' | '.join(row)} |"
        for table in tables_of(registry)
        for column in table.columns
        if (row := _personal_row(column.info.get(INFO), table.info.get("person", "")))
    ]
    return "\n".join(lines) + "\n"


def _personal_row(said: Any, person: str) -> tuple[str, str, str] | None:
    match said:
        case Personal(kind=kind, of=of, erasing=erasing, why=why):
            done = {"blank": "blanked", "pseudonym": "a pseudonym", "keep": f"kept: {why}"}[erasing]
            if not of:
                return kind.replace("_", " "), "no id says" if erasing == "keep" else "found by its value", done
            return kind.replace("_", " "), f"the {person}'s" if of == "id" and person else f"by `{of}`", done
        case Names(person=named, whole=whole):
            return f"the id of a {named}", "the row is theirs" if whole else "they did something there", "stays"
        case Carries(why=why):
            return why, "anybody's", "searched, and their values replaced"
        case Secret(of=of):
            return "a secret", f"by `{of}`" if of else "", "blanked"
        case Impersonal() | None:
            return None
    raise TypeError(said)


def settings_page(registry: Registry) -> str:
    """Every setting of a deployment with its default; what plugins let be set, and at which levels."""
    lines = [
        "# Settings",
        "",
        "Written from the code. Set them in the environment or in `.env`; an unknown name or a bad value is refused.",
        "",
        "| variable | default | meaning |",
        "|---|---|---|",
    ]
    hints = get_type_hints(Settings, include_extras=True)
    for one in msgspec.structs.fields(Settings):
        words = next(meta.description for meta in hints[one.name].__metadata__ if isinstance(meta, msgspec.Meta))
        default = ",".join(one.default) if isinstance(one.default, tuple) else one.default
        lines.append(f"| `{PREFIX}{one.name.upper()}` | `{default}` | {words} |")
    lines += ["", "## What plugins let be set", ""]
    lines += ["The nearest level that sets it counts, see [let the shop set something](../plugins/settings.md).", ""]
    lines += ["| plugin | setting | what it is | set for |", "|---|---|---|---|"]
    for plugin in registry.in_order():
        kind = plugin.settings or msgspec.Struct
        for one in msgspec.structs.fields(kind):
            levels = [level for level in LEVELS if level in levels_of(kind)[one.name]]
            lines.append(f"| {plugin.name} | `{one.name}` | {title_of(one)} | {', '.join(levels)} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the pages."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pages(discover()).items():
        (FOLDER / name).write_text(text)
    PRESENT.write_text(present_text())
    return 0


def _far(limit: Limit, role: str) -> str:
    value = written_limit(limit, role, {})
    if value is None:
        return "no limit"
    return f"{value} %" if limit.unit == "percent" else value


def _asked(permission: str) -> str:
    named = {
        PUBLIC: "open to anyone",
        SIGNED_IN: "anyone signed in",
        IN_PERSON: "anyone signed in by password",
        TILL: "registered tills",
        OPERATOR: "operators",
    }
    return named.get(permission, f"`{permission}`")


def _owner(spec: Callable[..., Any]) -> str:
    parts = spec.__module__.split(".")
    return parts[1] if parts[0] == "plugins" else parts[0]


def _policy(spec: Callable[..., Any]) -> str:
    policy = policy_of(spec)
    return f"`{policy.failing}` · at most {policy.budget_ms:,} ms"


def _kind(spec: Callable[..., Any]) -> str:
    if inspect.iscoroutinefunction(spec):
        return "tell (asynchronous, inside the transaction)"
    return "ask (synchronous, pure)" if inspect.signature(spec).parameters else "offer (collected once per set)"


def _signature(spec: Callable[..., Any]) -> str:
    said = str(inspect.signature(spec)).replace("'", "")
    return f"{'async ' if inspect.iscoroutinefunction(spec) else ''}def {spec.__name__}{said}"


if __name__ == "__main__":
    sys.exit(main())
