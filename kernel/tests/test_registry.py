"""Plugins are found, ordered, and set aside when they cannot be used."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from kernel import registry as registry_module
from kernel.app.plans import making
from kernel.app.plans.making import tables_of
from kernel.auth.rights.permissions import Rights
from kernel.db import Base
from kernel.errors import PluginFault
from kernel.jobs import handlers_in
from kernel.plugin import Permission, Picture, Plugin
from kernel.registry import Registry, discover

Install = Callable[..., None]


class Found(EntryPoint):
    """An entry point of a distribution, as the installation would have it."""


class Distribution:
    """Who brings an entry point."""

    def __init__(self, name: str) -> None:
        self.name, self.version = name, "1.0"


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Write a plugin's package and let discovery find it: install("stall", depends=("shelf",), listeners="…")."""
    points: list[EntryPoint] = []
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(registry_module, "entry_points", lambda group: points)

    def write(
        name: str, *, by: str = "someone", module: str = "", manifest: str = "", files: dict[str, str] | None = None,
        **said: Any,
    ) -> None:  # fmt: skip
        package = module or f"discovered_{name}"
        folder = tmp_path / package.replace(".", "/")
        folder.mkdir(parents=True)
        arguments = {"name": name, "version": "1.0", "title": name, "summary": name, **said}
        written = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
        (folder / "__init__.py").write_text(
            manifest or f"from kernel.plugin import Permission, Plugin\nPLUGIN = Plugin({written})\n"
        )
        for file, text in (files or {}).items():
            (folder / f"{file}.py").write_text(textwrap.dedent(text))
        point = EntryPoint(name, f"{package}:PLUGIN", "duka.plugins")
        vars(point)["dist"] = Distribution(by)
        points.append(point)

    yield write
    for name in [name for name in sys.modules if name.startswith("discovered_")]:
        del sys.modules[name]


def names(found: Registry) -> list[str]:
    return list(found.plugins)


def test_plugins_come_after_what_they_stand_on_then_by_name(install: Install) -> None:
    install("zebra")
    install("apple", depends=("zebra",))
    install("mango", optional=("apple", "absent"))
    install("berry")
    found = discover()
    assert names(found) == ["berry", "zebra", "apple", "mango"]
    assert found.set_aside == {}
    assert found.needed_by("apple") == ["zebra", "apple"]
    assert found.standing_on("zebra", found.plugins) == ["apple"]


def test_a_circle_is_set_aside_with_what_needs_it_and_no_more(install: Install) -> None:
    install("aa", depends=("bb",))
    install("bb", depends=("aa",))
    install("cc", depends=("bb",))
    install("dd", optional=("bb",))
    install("ee")
    found = discover()
    assert sorted(names(found)) == ["dd", "ee"]
    circle = "aa after bb (depends of aa), bb after aa (depends of bb)"
    assert circle in found.set_aside["aa"].reason
    assert circle in found.set_aside["bb"].reason
    assert found.set_aside["cc"].reason == "needs bb, which was set aside"


def test_a_missing_dependency_sets_aside_all_that_stand_on_it(install: Install) -> None:
    install("middle", depends=("absent>=1",))
    install("top", depends=("middle",))
    install("other")
    found = discover()
    assert names(found) == ["other"]
    assert found.set_aside["middle"].reason == "needs absent, which is not installed"
    assert found.set_aside["top"].reason == "needs middle, which was set aside"
    with pytest.raises(PluginFault, match="which is not installed"):
        found.needed_by("middle")
    with pytest.raises(PluginFault, match="it is not installed"):
        found.needed_by("absent")


def test_a_version_out_of_range_is_named(install: Install) -> None:
    install("base")
    install("needs_more", depends=("base>=2",))
    install("for_another_kernel", kernel=">=9")
    found = discover()
    assert names(found) == ["base"]
    assert found.set_aside["needs_more"].reason == "needs base>=2, found 1.0"
    assert "needs kernel >=9" in found.set_aside["for_another_kernel"].reason


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"routes": "raise RuntimeError('bad day')"}, "RuntimeError: bad day"),
        ({"models": "import no_such_module"}, "ModuleNotFoundError"),
        ({"listeners": "def ("}, "SyntaxError"),
        ({"jobs": "raise SystemError"}, "SystemError"),
    ],
)
def test_a_plugin_that_fails_to_load_is_set_aside(install: Install, files: dict[str, str], reason: str) -> None:
    install("good")
    install("bad", files=files)
    install("worse", depends=("bad",))
    found = discover()
    assert names(found) == ["good"]
    assert reason in found.set_aside["bad"].reason
    assert found.set_aside["worse"].reason == "needs bad, which was set aside"


LISTENER = """
    from kernel.hooks import answers

    @answers
    {how} {hook}({arguments}):
        return None
"""


@pytest.mark.parametrize(
    ("how", "hook", "arguments", "reason"),
    [
        ("def", "invariants_", "", "no enabled plugin has a hook called 'invariants_'"),
        ("def", "switched_on", "work", "must be async def"),
        ("async def", "switched_on", "works", "works"),
    ],
)
def test_an_answer_that_fits_no_hook_sets_its_plugin_aside_at_start(
    install: Install, how: str, hook: str, arguments: str, reason: str
) -> None:
    """Otherwise every request of a business that has it on would fail."""
    install("good")
    install("stall", files={"listeners": LISTENER.format(how=how, hook=hook, arguments=arguments)})
    found = discover()
    assert names(found) == ["good"]
    assert reason in found.set_aside["stall"].reason


def test_an_answer_to_a_plugin_that_is_not_declared_is_found_out(install: Install) -> None:
    spec = "from kernel.hooks import spec\n\n@spec\ndef rung(bell):\n    '''Ring.'''\n"
    install("bells", files={"hooks": spec})
    install(
        "declared", depends=("bells",), files={"listeners": LISTENER.format(how="def", hook="rung", arguments="bell")}
    )
    install("undeclared", files={"listeners": LISTENER.format(how="def", hook="rung", arguments="bell")})
    install(
        "bridged", optional=("bells",), files={"with_bells": LISTENER.format(how="def", hook="rung", arguments="bell")}
    )
    install(
        "unbridged", optional=("bells",), files={"with_bells": LISTENER.format(how="def", hook="rang", arguments="")}
    )
    found = discover()
    assert names(found) == ["bells", "bridged", "declared"]
    assert set(found.set_aside) == {"undeclared", "unbridged"}
    assert found.hooks_for(["bells", "declared", "bridged"]).listeners("rung") == ["bridged", "declared"]
    assert found.hooks_for(["bells", "declared"]).listeners("rung") == ["declared"]


def test_the_hooks_of_a_set_are_built_once(install: Install) -> None:
    install("one")
    install("two")
    found = discover()
    assert found.hooks_for(["one", "two"]) is found.hooks_for(("two", "one", "gone"))
    assert found.hooks_for(["one"]) is not found.hooks_for(["one", "two"])


@pytest.mark.parametrize("module", ["plugins.stranger_for_tests", "kernel.stranger_for_tests"])
def test_a_foreign_distribution_in_our_house_stops_the_start(install: Install, module: str) -> None:
    install("stranger", module=module, by="evil")
    with pytest.raises(PluginFault, match="foreign distribution"):
        discover()


def test_two_plugins_of_one_name_stop_the_start(install: Install) -> None:
    install("twin", module="discovered_one")
    install("twin", module="discovered_two", by="evil")
    with pytest.raises(PluginFault, match="two distributions"):
        discover()


@pytest.mark.parametrize(
    "manifest",
    ["PLUGIN = 7", "from kernel.plugin import Plugin\nPLUGIN = Plugin('other', '1.0', 'x', 'x')", "x = 1", "1/0"],
)
def test_an_entry_point_without_its_manifest_is_set_aside(install: Install, manifest: str) -> None:
    install("stall", manifest=manifest)
    found = discover()
    assert names(found) == []
    assert found.set_aside["stall"].reason


def test_reading_a_manifest_runs_no_other_code_of_the_plugin(install: Install) -> None:
    install("stall", kernel=">=9", files={"routes": "raise SystemExit", "models": "raise SystemExit"})
    assert "needs kernel" in discover().set_aside["stall"].reason


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"name": "Big"}, "lower-case"),
        ({"name": "x"}, "lower-case"),
        ({"name": "../x"}, "lower-case"),
        ({"name": "users"}, "the kernel's own"),
        ({"name": "kernel"}, "the kernel's own"),
        ({"depends": ("not a name!",)}, "not a name with a version range"),
        ({"permissions": (Permission("other.see", ""),)}, "must start with 'stall.'"),
        ({"grants": {"king": ()}}, "unknown role 'king'"),
        ({"grants": {"cashier": ("stall.see",)}}, "undeclared permissions"),
        ({"kernel": "new"}, "Invalid specifier"),
        ({"pictures": (Picture("../secret.png", "x"),)}, "pictures/<name>.png or .webp"),
        ({"pictures": (Picture("pictures/a.svg", "x"),)}, "pictures/<name>.png or .webp"),
        ({"pictures": (Picture("pictures/a.png", " "),)}, "and words for it"),
        ({"pictures": (Picture("pictures/a.png", "x"),) * 7}, "6 at most"),
    ],
)
def test_a_manifest_names_its_own_faults(said: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        Plugin(**{"name": "stall", "version": "1.0", "title": "x", "summary": "x", **said})


GATES = {
    "jobs": "from kernel.jobs import job\n@job('{name}.tidy')\nasync def tidy(work, payload): ...\n",
    "listeners": "from kernel.hooks import answers\n@answers\nasync def switched_on(work): ...\n",
    "models": (
        "import sqlalchemy as sa\nfrom kernel.db import Base\n"
        "RECEIPT = sa.Table('{name}_receipt', Base.metadata, sa.Column('business_id', sa.Uuid()))\n"
    ),
    "schemas": "import msgspec\nclass Settings(msgspec.Struct, frozen=True):\n    key: str = '{name}'\n",
}
PAIR = ("gates", "gates_mpesa")


@pytest.fixture
def gates(install: Install) -> Iterator[Registry]:
    """Two plugins, the name of one beginning with the other's."""
    for name in PAIR:
        manifest = (
            "from kernel.plugin import Permission, Plugin\n"
            f"PLUGIN = Plugin('{name}', '1', 'x', 'x', settings='schemas:Settings',"
            f" permissions=(Permission('{name}.see', 'x'),))"
        )
        install(name, manifest=manifest, files={file: text.format(name=name) for file, text in GATES.items()})
    yield discover()
    for name in PAIR:
        Base.metadata.remove(Base.metadata.tables[f"{name}_receipt"])


def test_plugins_of_nearly_the_same_name_are_told_apart(gates: Registry) -> None:
    """Tables, hook answers, jobs, settings and permissions are each one's own."""
    assert (list(gates.plugins), gates.set_aside) == (list(PAIR), {})
    for name, other in (PAIR, PAIR[::-1]):
        assert [table.name for table in tables_of(gates, name)] == [f"{name}_receipt"]
        assert [job.name for job in handlers_in(gates.plugins[name])] == [f"{name}.tidy"]
        assert set(gates.hooks_for([name]).listeners("switched_on")) == {name}
        assert set(gates.hooks_of(name).listeners("switched_on")) == {name}
        settings = gates.plugins[name].settings
        assert settings is not None
        assert gates.plugin_of_settings(settings) == name
        held = Rights(gates).of("owner", (), (), frozenset({name}))
        assert (f"{name}.see" in held, f"{other}.see" in held) == (True, False)


def test_a_prefix_alone_takes_the_neighbours_tables_and_is_caught(
    gates: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def by_prefix(table: str, names: Iterable[str]) -> str | None:
        return next((name for name in sorted(names) if table.startswith(f"{name}_")), None)

    monkeypatch.setattr(making, "owner_of", by_prefix)
    assert [table.name for table in tables_of(gates, "gates")] == ["gates_mpesa_receipt", "gates_receipt"]


@pytest.mark.parametrize("name", ["kernel_tools", "duka", "duka_kept"])
def test_a_name_that_begins_as_the_kernels_tables_do_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="the kernel's own"):
        Plugin(name, "1.0", "x", "x")


def test_a_circle_is_told_from_each_of_its_members(install: Install) -> None:
    install("apple", depends=("mango",))
    install("mango", depends=("apple",))
    install("berry", depends=("apple",))
    paths = {name: one.path for name, one in discover().set_aside.items()}
    assert paths == {
        "apple": ("apple", "mango", "apple"),
        "mango": ("mango", "apple", "mango"),
        "berry": ("berry", "apple"),
    }


def test_a_manifest_that_names_a_beginning_which_is_not_there_sets_the_plugin_aside(install: Install) -> None:
    install("apple", begins=("hold",))
    assert "no such route" in discover().set_aside["apple"].reason
