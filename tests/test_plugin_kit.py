"""A developer's first hour: a new plugin passes its tests, runs in a shop, and is checked as it would be installed."""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import kernel
from kernel.app.demo import PASSWORD, demo_data
from kernel.kit.checking import MEANING, OF_FORM, Report, Result, grade, plugins_of
from kernel.kit.environment import build_wheel, make_environment
from kernel.kit.faults import KitFault
from kernel.kit.published import unlike_published
from kernel.kit.scaffold import GATEWAY, PARTS, PROJECT, NewPlugin, named, rendered, with_needed, write_plugin
from kernel.testing import fixtures
from kernel.testing.pytest_plugin import is_of_a_plugin
from kernel.testing.suite import PluginSuite

ROOT = Path(kernel.__file__).parents[1]
SOME = [some for size in range(1, len(PARTS) + 1) for some in itertools.combinations(PARTS, size)]
EVERY = sorted({with_needed(some) for some in SOME}, key=sorted)


class Machine:
    """A developer's machine: Duka installed from its wheel, and no checkout of it anywhere."""

    def __init__(self, python: Path, wheel: Path) -> None:
        self.duka, self.wheel = python.parent / "duka", wheel

    def run(self, *command: str | Path, cwd: Path, status: int = 0) -> str:
        """Run a command as the developer would; returns what it printed."""
        done = subprocess.run(
            [str(part) for part in command],
            cwd=cwd,
            env=clean(),
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr


def clean() -> dict[str, str]:
    """An environment that says nothing of this checkout."""
    return {
        name: said
        for name, said in os.environ.items()
        if not name.startswith(("PYTHON", "PYTEST", "DUKA_", "MAKE", "VIRTUAL_ENV"))
    }


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    room = tmp_path_factory.mktemp("machine")
    wheel = build_wheel(ROOT, room / "dist")
    python = make_environment(room / "env")
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--quiet", "install", "--no-index", "--no-deps"]
    subprocess.run([*pip, "--ignore-installed", str(wheel)], env=clean(), check=True)
    return Machine(python, wheel)


# Names and texts


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Loyalty", "cannot be a plugin's name"),
        ("1st", "cannot be a plugin's name"),
        ("x" * 41, "cannot be a plugin's name"),
        ("../away", "cannot be a plugin's name"),
        ("audit", "a name of Duka's own"),
        ("plugins", "a name of Duka's own"),
        ("class", "a name of Duka's own or of Python's"),
        ("sales", "installed already"),
        ("sales_extra", "could not tell their tables apart"),
    ],
)
def test_a_name_that_cannot_be_is_refused_with_a_reason(name: str, said: str) -> None:
    with pytest.raises(KitFault, match=said):
        named(name, ["hook"])


def test_a_part_that_there_is_not_is_refused_with_those_there_are() -> None:
    with pytest.raises(KitFault, match="no part colour; choose of hook, model, routes, job, settings, console"):
        named("loyalty", ["hook", "colour"])


def test_a_gateway_stands_by_itself() -> None:
    with pytest.raises(KitFault, match="a gateway stands by itself"):
        named("loyalty", [GATEWAY, "model"])


def test_the_gateway_that_is_written_is_small() -> None:
    text = rendered(named("tosha", [GATEWAY]))["duka_tosha/gateway.py"]
    assert len([line for line in text.splitlines() if line.strip()]) <= 150


def test_a_name_may_be_written_as_its_folder_is() -> None:
    assert named("duka-loyalty-points", []) == NewPlugin("loyalty_points", frozenset({"hook"}))


def test_nothing_is_written_over_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "duka-loyalty").mkdir()
    with pytest.raises(KitFault, match="is there already"):
        write_plugin(named("loyalty", []), tmp_path)


def test_nothing_is_written_into_dukas_own_repository() -> None:
    with pytest.raises(KitFault, match="is Duka's own repository"):
        write_plugin(named("loyalty", []), ROOT / "examples")
    assert not (ROOT / "examples" / "duka-loyalty").exists()


def test_whatever_parts_are_chosen_the_source_is_in_good_style(tmp_path: Path) -> None:
    for number, parts in enumerate(EVERY):
        write_plugin(NewPlugin(f"probe{number}", parts), tmp_path)
    write_plugin(NewPlugin("a" * 40, frozenset(PARTS)), tmp_path)
    write_plugin(NewPlugin("b" * 40, frozenset({GATEWAY})), tmp_path)
    write_plugin(NewPlugin("money", frozenset({GATEWAY})), tmp_path)
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "-q", "."],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout


def test_the_smallest_plugin_has_at_most_25_lines_of_python() -> None:
    files = rendered(named("loyalty", ["hook"]))
    code = {path: text for path, text in files.items() if path.endswith(".py") and "/tests/" not in path}
    assert sorted(code) == ["duka_loyalty/__init__.py", "duka_loyalty/listeners.py"]
    assert sum(len(text.splitlines()) for text in code.values()) <= 25


def test_every_template_is_used() -> None:
    templates = ROOT / "kernel/kit/templates"
    used = {path for parts in EVERY for path in rendered(NewPlugin("p", parts))}
    of_gateways = len(list((templates / GATEWAY).rglob("*.jinja")))
    assert len(used) == len(list(templates.rglob("*.jinja"))) - of_gateways
    assert len(rendered(named("p_", [GATEWAY]))) == of_gateways + len(PROJECT)


# The wheel


def test_our_wheel_holds_builders_templates_and_types_but_no_tests(machine: Machine) -> None:
    names = set(zipfile.ZipFile(machine.wheel).namelist())
    wanted = {f"plugins/{one}/testing.py" for one in ("catalog", "customers", "sales", "inventory", "taxes")}
    wanted |= {"plugins/payments/testing/kit/stage.py", "plugins/gateways_mpesa/simulator/page.html"}
    wanted |= {
        "plugins/console/testing/rules.py",
        "plugins/console/static/duka.css",
        "plugins/console/templates/ui.html",
    }
    wanted |= {"plugins/taxes/templates/console/tax_classes.html", "plugins/taxes/locale/ar.json"}
    wanted |= {
        "kernel/kit/templates/project/Makefile.jinja",
        "kernel/kit/templates/package/checks/test_plugin.py.jinja",
        "kernel/kit/templates/package/templates/console/tiers.html.jinja",
    }
    wanted |= {"kernel/py.typed", "plugins/py.typed", "kernel/testing/suite/__init__.py"}
    assert wanted <= names, wanted - names
    assert not [name for name in names if "/tests/" in name]


def test_pytest_runs_of_others_are_left_alone(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    text = "import sys\ndef test_it():\n    assert not {'kernel.testing.fixtures', 'sqlalchemy'} & set(sys.modules)\n"
    (tmp_path / "test_it.py").write_text(text)
    said = machine.run(machine.duka.parent / "python", "-m", "pytest", "-q", "--trace-config", cwd=tmp_path)
    assert "kernel.testing.pytest_plugin" in said
    assert "1 passed" in said


def test_fixtures_come_where_a_plugin_is_offered(tmp_path: Path) -> None:
    project = tmp_path / "pyproject.toml"
    assert not is_of_a_plugin(project)
    project.write_text('[project.entry-points."duka.plugins"]\nx = "duka_x:PLUGIN"\n')
    assert is_of_a_plugin(project)
    for broken in ("[project", "project = 1\n", "[project]\nentry-points = 1\n"):
        project.write_text(broken)
        assert not is_of_a_plugin(project)


# From the command to green tests


@pytest.mark.prove
def test_a_new_plugin_with_everything_passes_its_tests_as_it_was_written(machine: Machine, tmp_path: Path) -> None:
    begun = time.monotonic()
    said = machine.run(
        machine.duka, "plugin", "new", "loyalty", "--with", ",".join(PARTS), "--into", tmp_path, cwd=tmp_path
    )
    written = time.monotonic()
    assert "make test" in said
    told = machine.run("make", "test", cwd=tmp_path / "duka-loyalty")
    print(f"written in {written - begun:.1f} s, tested in {time.monotonic() - written:.1f} s")
    assert " passed" in told
    assert "failed" not in told


@pytest.mark.prove
@pytest.mark.parametrize(
    "parts",
    ["hook", "routes", "job", "settings", "model", "model,routes", "hook,settings", "hook,model,job", "console", "all"],
)
def test_a_new_plugin_is_green_typed_graded_a_and_sells(machine: Machine, tmp_path: Path, parts: str) -> None:
    parts = ",".join(PARTS) if parts == "all" else parts
    machine.run(machine.duka, "plugin", "new", "loyalty", "--with", parts, "--into", tmp_path, cwd=tmp_path)
    folder = tmp_path / "duka-loyalty"
    assert "failed" not in machine.run("make", "test", cwd=folder)
    machine.run("make", "lint", cwd=folder)
    said = machine.run(folder / ".venv/bin/duka", "plugin", "publish", cwd=folder)
    assert "Grade A" in said
    assert (folder / "dist/duka_loyalty-0.1.0-py3-none-any.report.json").is_file()
    sold: list[str] = []
    for steps in running(folder, sold):
        has = with_needed(parts.split(","))
        assert ("loyalty" in steps) == ("hook" in has and ("model" not in has or "settings" in has))
    machine.run(folder / ".venv/bin/duka", "plugin", "record", sold[0], cwd=folder)
    assert len(list((folder / "duka_loyalty/tests").glob("test_sale_*.py"))) == 1
    told = machine.run("make", "test", "PYTEST_ARGS=-k comes_to_the_same", cwd=folder)
    assert "2 passed" in told
    machine.run("make", "lint", cwd=folder)


@pytest.mark.prove
def test_a_new_gateway_withstands_every_fault_case_as_it_was_written(machine: Machine, tmp_path: Path) -> None:
    machine.run(machine.duka, "plugin", "new", "tosha", "--with", GATEWAY, "--into", tmp_path, cwd=tmp_path)
    folder = tmp_path / "duka-tosha"
    told = machine.run("make", "test", cwd=folder)
    assert " passed" in told
    assert "failed" not in told
    machine.run("make", "lint", cwd=folder)


def running(folder: Path, sold: list[str]) -> Iterator[list[str]]:
    """Start `make run`, sell twelve of a product, and give the plugins that changed the price. sold: gets the sale."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    shutil.rmtree(folder / "var", ignore_errors=True)
    command = [str(folder / ".venv/bin/duka"), "run", "--demo", "--port", str(port)]
    server = subprocess.Popen(command, cwd=folder, env=clean())
    try:
        base = f"http://127.0.0.1:{port}"
        wait_for(f"{base}/health/ready")
        shop = demo_data()["businesses"][0]
        owner = next(one["email"] for one in shop["staff"] if one["role"] == "owner")
        entered = {"username": owner, "password": PASSWORD, "business": shop["slug"]}
        token = httpx.post(f"{base}/api/v1/auth/login", json=entered, timeout=60).json()["access_token"]
        with httpx.Client(
            base_url=f"{base}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=60
        ) as client:
            places = client.get("/locations").json()["items"]
            place = next(one["id"] for one in places if one["kind"] == "storefront")
            product = client.get("/catalog/products").json()["items"][0]["id"]
            cart = {"location_id": place, "lines": [{"product_id": product, "quantity": "12"}]}
            quoted = client.post("/sales/quote", json=cart, headers={"Idempotency-Key": "quote-1"})
            assert quoted.status_code == 200, quoted.text
            paid = cart | {"payments": [{"method": "cash", "amount": quoted.json()["total"]}]}
            made = client.post("/sales/sales", json=paid, headers={"Idempotency-Key": "sale-1"})
            assert made.status_code == 201, made.text
            sold.append(made.json()["id"])
            yield [step["plugin"] for step in quoted.json()["lines"][0]["steps"]]
    finally:
        server.terminate()
        server.wait(60)


def wait_for(url: str, within_s: float = 200) -> None:
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        try:
            if httpx.get(url, timeout=60).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    pytest.fail(f"{url} is not ready")


# Grades


def results(**outcomes: str) -> list[Result]:
    return [Result(rule, outcome) for rule, outcome in outcomes.items()]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"test_a": "passed", "test_b": "passed"}, "A"),
        ({"test_a": "passed", "test_b": "skipped"}, "B"),
        ({"test_a": "passed", "test_it_keeps_to_the_anatomy": "failed"}, "C"),
        (
            {"test_it_keeps_to_the_anatomy": "failed", "test_no_row_of_another_business_is_reached[sqlite]": "failed"},
            "F",
        ),
        ({}, "F"),
    ],
)
def test_a_grade_follows_from_what_failed(found: dict[str, str], expected: str) -> None:
    assert grade(results(**found)) == expected


def test_a_report_says_what_each_broken_rule_said() -> None:
    report = Report(["x"], "x.whl", "00", "0.1.0", "F", [Result("test_a_rule[sqlite]", "failed", "- do this")])
    assert "✗ a rule (sqlite)" in report.lines()
    assert "    - do this" in report.lines()
    assert not report.is_fit


def test_a_wheel_without_a_plugin_is_refused(tmp_path: Path) -> None:
    wheel = tmp_path / "x-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("x-1.dist-info/METADATA", "")
    with pytest.raises(KitFault, match="offers no plugin; write"):
        plugins_of(wheel)
    wheel.write_text("no zip")
    with pytest.raises(KitFault, match="is no wheel"):
        plugins_of(wheel)


FIRST = {"p/migrations/p_0001.py": "revision = 'p_0001'  # the first\n", "p/models.py": "x = 1\n"}


def a_wheel(folder: Path, version: str, files: dict[str, str]) -> Path:
    folder.mkdir(exist_ok=True)
    wheel = folder / f"p-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return wheel


@pytest.mark.parametrize(
    ("version", "changes", "said"),
    [
        ("0.2.0", {"p/models.py": "x = 2\n", "p/migrations/p_0002.py": "revision = 'p_0002'\n"}, []),
        ("0.2.0", {"p/migrations/p_0001.py": "revision = 'p_0001'  # remarks do no harm\n"}, []),
        ("0.2.0", {"p/migrations/p_0001.py": "revision = 'p_0001'\nx = 1\n"}, ["is not what it was"]),
        ("0.2.0", {"p/migrations/p_0001.py": None}, ["is gone"]),
        ("0.1.0", {}, ["is out already"]),
    ],
)
def test_revisions_of_a_published_wheel_stay_as_they_were(
    tmp_path: Path, version: str, changes: dict[str, str | None], said: list[str]
) -> None:
    old = a_wheel(tmp_path / "old", "0.1.0", FIRST)
    files = {name: text for name, text in (FIRST | changes).items() if text is not None}
    ((wheel, found),) = unlike_published(a_wheel(tmp_path / "new", version, files), [old])
    assert wheel == old
    assert len(found) == len(said)
    assert all(words in line for words, line in zip(said, found, strict=True))


def test_a_published_wheel_of_something_else_is_refused(tmp_path: Path) -> None:
    new = a_wheel(tmp_path, "0.2.0", FIRST)
    other = tmp_path / "q-0.1.0-py3-none-any.whl"
    shutil.copy(new, other)
    with pytest.raises(KitFault, match="another package"):
        list(unlike_published(new, [other]))


# The pages


def test_every_fixture_rule_and_grade_stands_in_the_docs() -> None:
    testing = (ROOT / "docs/plugins/testing.md").read_text()
    fixtures_ = [name for name, thing in vars(fixtures).items() if type(thing).__name__ == "FixtureFunctionDefinition"]
    public = [name for name in fixtures_ if not name.startswith("_")]
    assert len(public) > 12
    assert not [name for name in public if f"`{name}`" not in testing]
    rows = {line.split("|")[1].strip(): line.split("|")[-2].strip() for line in testing.splitlines() if "| " in line}
    rules = [name for name in vars(PluginSuite) if name.startswith("test_")]
    told = {name: rows.get(name.removeprefix("test_").replace("_", " ")) for name in rules}
    assert told == {name: "C" if name in OF_FORM else "F" for name in rules}
    publishing = (ROOT / "docs/plugins/publishing.md").read_text()
    assert all(f"| {one} | " in publishing for one in MEANING)


def test_the_page_shows_the_smallest_plugin_as_it_is_written() -> None:
    page = (ROOT / "docs/plugins/index.md").read_text()
    files = rendered(named("loyalty", ["hook"]))
    for path in ("duka_loyalty/__init__.py", "duka_loyalty/listeners.py"):
        assert f"```python\n{files[path]}```" in page
