"""The generated pages say what the code says."""

from __future__ import annotations

import dataclasses
import inspect

import pytest

from kernel.plugin import Limit, Permission, Plugin
from kernel.registry import Registry
from kernel.testing.declared import meanings_of
from kernel.testing.reference import FOLDER, pages


@pytest.mark.parametrize(
    "name",
    ["errors.md", "hooks.md", "manifest.md", "permissions.md", "personal-data.md", "roles.md", "settings.md"],
)
def test_a_generated_page_is_what_the_code_would_write(registry: Registry, name: str) -> None:
    assert (FOLDER / name).read_text() == pages(registry)[name], "run `make docs`"


def test_every_field_of_a_manifest_is_explained() -> None:
    assert set(meanings_of(Plugin)) == {one.name for one in dataclasses.fields(Plugin)}
    for kind in (Permission, Limit):
        assert kind.__doc__
        assert set(meanings_of(kind)) <= {one.name for one in dataclasses.fields(kind)}


def test_every_error_has_a_page_line_that_says_when(registry: Registry) -> None:
    rows = [line.split(" | ") for line in pages(registry)["errors.md"].splitlines() if line.startswith("| `")]
    assert len(rows) > 50
    assert [row for row in rows if not all(cell.strip() for cell in row)] == []


def test_every_hook_says_when_what_to_answer_what_errors_mean_and_when_not(registry: Registry) -> None:
    for name, spec in registry.hooks_for(registry.plugins).specs().items():
        words = inspect.cleandoc(spec.__doc__ or "")
        missing = [word for word in ("When:", "Answer:", "Errors:", "Since:", "Not for:") if word not in words]
        assert not missing, f"{name} does not say {missing}"


WAITING = {
    "payment_methods": "the first gateway will answer it; until then payments alone does",
    "price_line": "plugins of others answer it, as those on the pages about plugins do, which are run",
}


def test_every_hook_of_a_plugin_is_answered_by_another_plugin(registry: Registry) -> None:
    hooks = registry.hooks_for(registry.plugins)
    for name, spec in hooks.specs().items():
        if name in WAITING:
            continue
        owner = spec.__module__.split(".")[1]
        assert set(hooks.listeners(name)) - {owner}, f"nobody but {owner} answers {name}"
