"""The public surface is as it is written down, and breaks no promise."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from kernel.testing.surface import PRESENT, PROMISED, broken_promises, present_text
from kernel.testing.surface import __main__ as command
from kernel.testing.surface.collecting import MODULES, public_names
from kernel.testing.surface.sources import names_of
from kernel.testing.surface.text import differences, parse

HEAD = "Duka {}\n#\n\n[kernel.sample]\n"
SAMPLE = """\
class Offer(Struct, frozen=True)
  phase: Literal['promotion', 'coupon']
  percent: int
  lines: tuple[int, ...] | None = ...
  property def is_small(self) -> bool
class OutOfStock(Conflict)
  code: Literal['out-of-stock'] = ...
MICRO = 6
async def take(work: Work, ids: Sequence[UUID], *, kind: str | None=None, also: Iterable[str]=()) -> list[Taken]
hook async def told(work: Work, sale: Sale) -> Answer | None
"""


def broken(old: str, new: str, *, before: str = "0.1.0", after: str = "0.1.3") -> list[str]:
    """The promises of the sample that are broken once some of its words are others."""
    assert old in SAMPLE
    return broken_promises(HEAD.format(before) + SAMPLE, HEAD.format(after) + SAMPLE.replace(old, new))


def test_the_public_surface_is_what_the_page_says() -> None:
    assert not differences(PRESENT.read_text(encoding="utf-8"), present_text()), "run `make docs`"


def test_no_promise_of_the_last_release_is_broken() -> None:
    assert broken_promises(PROMISED.read_text(encoding="utf-8"), present_text()) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("MICRO = 6\n", "", "MICRO: is gone"),
        ("  percent: int\n", "", "Offer.percent: is gone"),
        ("percent: int", "percent: str", "Offer.percent: was int, is str"),
        ("percent: int", "percent: int\n  of: int", "Offer.of: is newly required"),
        ("'out-of-stock'", "'sold-out'", "OutOfStock.code: was Literal['out-of-stock'], is Literal['sold-out']"),
        ("(Conflict)", "(DukaError)", "OutOfStock: is no Conflict any more"),
        ("ids: Sequence[UUID], ", "", "take(ids): is gone"),
        ("ids:", "keys:", "take(keys): is newly required"),
        ("work: Work, ids: Sequence[UUID]", "ids: Sequence[UUID], work: Work", "take(ids): is given at another place"),
        ("*, kind: str | None=None", "*, kind: str | None", "take(kind): is newly required"),
        ("kind: str | None=None", "kind: str=''", "take(kind): was str | None, is str"),
        ("ids: Sequence[UUID]", "ids: list[UUID]", "take(ids): was Sequence[UUID], is list[UUID]"),
        ("-> list[Taken]", "-> list[Taken] | None", "take: answered list[Taken], answers list[Taken] | None"),
        ("async def take", "def take", "take: was async def, is def"),
        ("property def is_small", "def is_small", "Offer.is_small: was property def, is def"),
        ("hook async def told(work: Work, sale: Sale)", "hook async def told(work: Work)", "told(sale): is gone"),
        ("sale: Sale)", "sale: Sale | Draft)", "told(sale): was Sale, is Sale | Draft"),
        ("-> Answer | None", "-> Answer", "told: answered Answer | None, answers Answer"),
        ("hook async def told", "hook def told", "told: was hook async def, is hook def"),
    ],
)
def test_what_would_break_a_plugin_needs_a_version_that_may(old: str, new: str, said: str) -> None:
    found = broken(old, new)
    assert any(one.startswith(f"kernel.sample.{said}") for one in found), found
    assert broken(old, new, after="0.2.0") == []
    assert broken(old, new, before="1.4.0", after="1.5.0"), "from 1.0 on a minor version breaks nothing"
    assert broken(old, new, before="1.4.0", after="2.0.0") == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("MICRO = 6\n", "MICRO = 6\nMOST = 9\n"),
        ("is_small(self) -> bool", "is_small(self) -> bool\n  of: int = ..."),
        ("lines: tuple[int, ...] | None = ...", "lines: tuple[int, ...] | None = ...\n  note: str = ..."),
        ("also: Iterable[str]=()", "also: Iterable[str]=(), at: datetime | None=None"),
        ("kind: str | None=None", "kind: str | int | None=None"),
        ("ids: Sequence[UUID]", "ids: Any"),
        ("sale: Sale)", "sale: Sale, day: date)"),
        ("-> Answer | None", "-> Answer | Refusal | None"),
    ],
)
def test_what_breaks_nobody_is_let_through_and_still_seen(old: str, new: str) -> None:
    assert broken(old, new) == []
    assert differences(SAMPLE, SAMPLE.replace(old, new))


def test_a_whole_module_that_goes_is_noticed() -> None:
    assert broken_promises(HEAD.format("0.1.0") + SAMPLE, "Duka 0.1.1\n#\n") == ["kernel.sample: is gone"]


def test_every_public_module_of_the_kernel_says_what_is_public_in_it() -> None:
    for module in MODULES:
        if module != "kernel.testing.fixtures":
            path = Path(*module.split("."))
            source = path.with_suffix(".py") if path.with_suffix(".py").is_file() else path / "__init__.py"
            assert "__all__" in source.read_text(encoding="utf-8"), f"{module} has no __all__"


@pytest.mark.parametrize("folder", ["plugins", "examples/loyalty"])
def test_plugins_use_nothing_of_the_kernel_but_what_is_public(folder: str) -> None:
    """What they need others need too, so it is promised or it is not used."""
    found = [
        f"{path}: {node.module}.{alias.name}"
        for path in sorted(Path(folder).rglob("*.py"))
        if not {"tests", "testing", "testing.py"} & set(path.parts)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "kernel"
        for alias in node.names
        if node.module not in MODULES or alias.name not in public_names(node.module or "")
    ]
    assert found == []


def test_the_names_that_are_promised_exist() -> None:
    for module, lines in parse(PRESENT.read_text(encoding="utf-8")).items():
        if module.startswith("kernel."):
            assert lines, module
            assert set(public_names(module)) <= set(names_of(module))


def test_the_promise_of_a_version_that_is_out_is_not_written_anew_with_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    promised, present, changes = tmp_path / "promised.txt", tmp_path / "present.txt", tmp_path / "CHANGELOG.md"
    more = present_text().replace("[kernel.money]\n", "[kernel.money]\nRUPEES = 7\n")
    promised.write_text(more, encoding="utf-8")
    changes.write_text("## [Unreleased]\n\n## [0.1.0]\n", encoding="utf-8")
    for name, path in (("PROMISED", promised), ("PRESENT", present), ("CHANGES", changes)):
        monkeypatch.setattr(command, name, path)
    assert command.main(["--release"]) == 1
    assert "kernel.money.RUPEES: is gone" in capsys.readouterr().err
    assert promised.read_text(encoding="utf-8") == more
    assert command.main([]) == 1
    changes.write_text("## [Unreleased]\n", encoding="utf-8")
    assert command.main(["--release"]) == 0
    assert command.main([]) == 0
