"""The conformance check passes a sound plugin and names each fault of a broken one."""

import subprocess
import sys
from pathlib import Path

import pytest

from kernel.testing.conformance import check_plugin

INSTALLED = {"acme_points": "points"}
"""A plugin that lives outside plugins/."""

SOUND = {
    "__init__.py": '''
        """Sells things."""

        from kernel.plugin import Plugin

        PLUGIN = Plugin(
            name="stall",
            version="0.1.0",
            depends=("catalog>=0.1", "points"),
            optional=("console>=0.1,<2",),
        )
    ''',
    "api.py": '''
        """The face."""

        from plugins.stall.services import sell as sell

        __all__ = ["sell"]
    ''',
    "rules.py": '''
        """Sums."""

        import msgspec

        from kernel.money import Money
        from plugins.catalog.api import Product
    ''',
    "models.py": '''
        """Tables."""

        from sqlalchemy.orm import Mapped

        from kernel.db import Base


        class Sale(Base):
            """A sale."""

            __tablename__ = "stall_sales"
            tags: Mapped[list[str]]
    ''',
    "services/__init__.py": '''
        """Use cases."""

        from acme_points import api
        from plugins.catalog import api, hooks

        from .refunds import refund


        def sell():
            """Sell."""


        def _helper(): ...
    ''',
    "services/refunds.py": '''
        """Refunds."""

        from ..models import Sale


        async def refund():
            """Refund."""
    ''',
    "with_console.py": '''
        """Cards."""

        from plugins.console.hooks import Card
    ''',
    "testing.py": '''
        """Builders."""

        from plugins.catalog.testing import a_product
    ''',
    "migrations/0001_sales.py": '''
        """Create stall_sales."""


        def upgrade(): ...
    ''',
    "tests/test_sell.py": """
        from plugins.catalog.testing import a_product
        from plugins.console.api import Menu


        def test_a_sale_sells(): ...
    """,
    "docs/index.md": "# Stall\n",
    "data/prices.csv": "rice,2\n",
    "templates/receipt.html": "",
}


def plugin(folder: Path, **changed: str) -> Path:
    """Write the sound plugin below `folder`, some of its files changed or added."""
    root = folder / "plugins" / "stall"
    for path, text in {**SOUND, **changed}.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(undented(text))
    return root


def undented(text: str) -> str:
    """Take eight columns away, which textwrap.dedent would not where a docstring holds less."""
    return "".join(line.removeprefix(" " * 8) for line in text.lstrip("\n").splitlines(keepends=True))


def faults(root: Path) -> list[str]:
    return [
        f"{fault.path.relative_to(root)}:{fault.line}: {fault.message}"
        for fault in check_plugin("plugins.stall", root, INSTALLED)
    ]


def test_a_sound_plugin_has_no_fault(tmp_path: Path) -> None:
    assert faults(plugin(tmp_path)) == []


BROKEN = {
    "a file of a strange name": ("utils.py", '"""Odds and ends."""', "utils.py:1: is no name"),
    "a folder of a strange name": ("repositories/x.txt", "", "repositories:1: is no name"),
    "a file that should be Python": ("rules.txt", "", "rules.txt:1: is no name"),
    "a module beside a package of its name": ("services.py", '"""Twice."""', "services:1: is no name"),
    "a package without __init__": ("jobs/nightly.py", '"""Nightly."""', "jobs:1: is no name"),
    "a file that cannot be parsed": ("errors.py", '"""Errors."""\nclass:', "errors.py:2: cannot be parsed"),
    "an empty docs page": ("docs/index.md", "\n", "docs/index.md:1: is missing or empty"),
    "a module without docstring": ("hooks.py", "x = 1", "hooks.py:1: has no docstring"),
    "a class without docstring": (
        "errors.py",
        '"""Errors."""\nclass CartEmpty: ...',
        "errors.py:2: CartEmpty has no docstring",
    ),
    "a function without docstring": (
        "jobs.py",
        '"""Jobs."""\nasync def tidy(): ...',
        "jobs.py:2: tidy has no docstring",
    ),
    "an empty docstring": ("jobs.py", '"""   """', "jobs.py:1: has no docstring"),
    "a file of 401 lines": ("tests/test_long.py", "x = 1\n" * 401, "tests/test_long.py:401: has 401 lines"),
    "an undeclared plugin": (
        "jobs.py",
        '"""Jobs."""\nfrom plugins.sales.api import Sale',
        "jobs.py:2: imports plugins.sales.api.Sale; PLUGIN does not declare sales",
    ),
    "an undeclared plugin in a test": (
        "tests/test_sell.py",
        "import plugins.sales.api",
        "tests/test_sell.py:1: imports plugins.sales.api; PLUGIN does not declare sales",
    ),
    "another plugin's tables": (
        "jobs.py",
        '"""Jobs."""\nimport plugins.catalog.models',
        "jobs.py:2: imports plugins.catalog.models; of another plugin only api and hooks",
    ),
    "another plugin's tables by way of from": (
        "jobs.py",
        '"""Jobs."""\nfrom plugins.catalog import api, models',
        "jobs.py:2: imports plugins.catalog.models; of another",
    ),
    "another plugin as a whole": (
        "jobs.py",
        '"""Jobs."""\nfrom plugins import catalog',
        "jobs.py:2: imports plugins.catalog; of another",
    ),
    "another plugin, all of it": (
        "jobs.py",
        '"""Jobs."""\nfrom plugins.catalog import *',
        "jobs.py:2: imports plugins.catalog.*; of another",
    ),
    "all plugins": ("jobs.py", '"""Jobs."""\nimport plugins', "jobs.py:2: imports plugins; name one plugin"),
    "another plugin's tables, relatively": (
        "services/refunds.py",
        '"""Refunds."""\nfrom ...catalog.models import Product',
        "services/refunds.py:2: imports plugins.catalog.models.Product; of another",
    ),
    "a plugin from elsewhere past its face": (
        "jobs.py",
        '"""Jobs."""\nfrom acme_points.models import Points',
        "jobs.py:2: imports acme_points.models.Points; of another",
    ),
    "tables under TYPE_CHECKING in a function": (
        "jobs.py",
        '"""Jobs."""\ndef _f():\n if TYPE_CHECKING:\n  from plugins.catalog.models import Product',
        "jobs.py:4: imports plugins.catalog.models.Product; of another",
    ),
    "builders outside tests": (
        "jobs.py",
        '"""Jobs."""\nfrom plugins.catalog.testing import a_product',
        "jobs.py:2: imports plugins.catalog.testing.a_product; of another",
    ),
    "an optional plugin outside its companion": (
        "listeners.py",
        '"""Answers."""\nfrom plugins.console.hooks import Card',
        "listeners.py:2: imports plugins.console.hooks.Card; console is optional",
    ),
    "an optional plugin in testing.py": (
        "testing.py",
        '"""Builders."""\nfrom plugins.console.testing import a_menu',
        "testing.py:2: imports plugins.console.testing.a_menu; console is optional",
    ),
    "a companion of a hard dependency": (
        "with_catalog.py",
        '"""Answers."""',
        "with_catalog.py:1: answers catalog, which PLUGIN.optional does not declare",
    ),
    "a framework in rules": (
        "rules.py",
        '"""R."""\nimport sqlalchemy as sa',
        "rules.py:2: imports sqlalchemy;",
    ),
    "a framework in a schemas package": (
        "schemas/__init__.py",
        '"""S."""\nfrom litestar.dto import DTO',
        "schemas/__init__.py:2: imports litestar.dto.DTO;",
    ),
    "own tables in rules": (
        "rules.py",
        '"""R."""\nfrom .models import Sale',
        "rules.py:2: imports plugins.stall.models",
    ),
    "a table of another name": (
        "models.py",
        '"""M."""\nclass _Sale(Base):\n    __tablename__ = "sales"',
        "models.py:3: a table's name must be a literal that starts with stall_",
    ),
    "a table whose name is computed": (
        "models.py",
        '"""M."""\nclass _Sale(Base):\n    __tablename__ = PREFIX + "sales"',
        "models.py:3: a table's name",
    ),
    "a table whose name is derived": (
        "models/__init__.py",
        '"""M."""\nclass _Sale(Base):\n    tags: orm.Mapped[list[str]]',
        "models/__init__.py:2: a table's name",
    ),
    "a Core table of another name": (
        "models.py",
        '"""M."""\nlines = sa.Table("lines", metadata)',
        "models.py:2: a table's name",
    ),
    "a manifest that imports more": (
        "__init__.py",
        SOUND["__init__.py"].replace("from kernel.plugin", "import re\n\n        from kernel.plugin"),
        "__init__.py:3: imports re; a manifest imports only kernel.plugin",
    ),
    "a manifest that imports its own code": (
        "__init__.py",
        SOUND["__init__.py"].replace("from kernel.plugin", "from . import api\n\n        from kernel.plugin"),
        "__init__.py:3: imports plugins.stall.api; a manifest",
    ),
    "a manifest that does more": (
        "__init__.py",
        SOUND["__init__.py"] + "\n        print(PLUGIN)\n",
        "__init__.py:12: holds more than a docstring and PLUGIN",
    ),
    "a manifest without PLUGIN": ("__init__.py", '"""Nothing."""', "__init__.py:1: holds no PLUGIN"),
    "a name that is computed": (
        "__init__.py",
        SOUND["__init__.py"].replace('"stall"', "__name__"),
        "__init__.py:5: PLUGIN's name must be a literal",
    ),
    "dependencies that are computed": (
        "__init__.py",
        SOUND["__init__.py"].replace('("catalog>=0.1", "points")', "DEPENDS"),
        "__init__.py:8: PLUGIN.depends must be a literal tuple",
    ),
    "dependencies in a bare string": (
        "__init__.py",
        SOUND["__init__.py"].replace('("console>=0.1,<2",)', '("console>=0.1,<2")'),
        "__init__.py:9: PLUGIN.optional must be a literal tuple",
    ),
    "a dependency that is no requirement": (
        "__init__.py",
        SOUND["__init__.py"].replace("catalog>=0.1", "catalog=>0.1"),
        "__init__.py:8: PLUGIN.depends must be a literal tuple",
    ),
}


@pytest.mark.parametrize(("path", "text", "fault"), BROKEN.values(), ids=BROKEN.keys())
def test_a_fault_is_named_with_its_place(tmp_path: Path, path: str, text: str, fault: str) -> None:
    root = plugin(tmp_path, **{path: text})
    assert [found for found in faults(root) if found.startswith(fault)], faults(root)


def test_a_file_of_400_lines_is_allowed(tmp_path: Path) -> None:
    assert faults(plugin(tmp_path, **{"tests/test_long.py": "x = 1\n" * 400})) == []


def test_an_abstract_model_needs_no_table(tmp_path: Path) -> None:
    text = '"""M."""\nclass _Dated(Base):\n    __abstract__ = True\n    on: Mapped[date]'
    assert faults(plugin(tmp_path, **{"models.py": text})) == []


def test_a_missing_page_or_init_is_a_fault(tmp_path: Path) -> None:
    root = plugin(tmp_path)
    (root / "docs" / "index.md").unlink()
    assert faults(root) == ["docs/index.md:1: is missing or empty: say what the plugin is for"]
    (root / "__init__.py").unlink()
    assert faults(root)[0].startswith("__init__.py:1: is missing")


def checked(folder: Path, *packages: str) -> subprocess.CompletedProcess[str]:
    """Run the command in `folder`, whose packages come before the installed ones."""
    command = [sys.executable, "-m", "kernel.testing.conformance", *packages]
    return subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)


@pytest.fixture
def kernel_importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the command be found from any folder, whether or not the distribution is installed."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))


@pytest.mark.usefixtures("kernel_importable")
def test_the_command_checks_every_package_below_plugins(tmp_path: Path) -> None:
    root = plugin(tmp_path)
    (root.parent / "__init__.py").write_text("")
    assert (checked(tmp_path).returncode, checked(tmp_path).stdout) == (0, "")

    (root.parent / "kiosk").mkdir()
    (root / "helpers.py").write_text('"""Odds and ends."""')
    broken = checked(tmp_path)

    assert broken.returncode == 1
    assert [line.partition(" is ")[0] for line in broken.stdout.splitlines()] == [
        "plugins/kiosk/__init__.py:1:",
        "plugins/stall/helpers.py:1:",
    ]


@pytest.mark.usefixtures("kernel_importable")
def test_the_command_refuses_what_is_not_there(tmp_path: Path) -> None:
    assert checked(tmp_path, "plugins.nowhere").stdout == "plugins.nowhere: no such package\n"
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "__init__.py").write_text("")
    nothing = checked(tmp_path)
    assert (nothing.returncode, nothing.stderr) == (1, "no plugin found below plugins/\n")


@pytest.mark.usefixtures("kernel_importable")
def test_a_package_of_another_name_is_checked_without_importing_it(tmp_path: Path) -> None:
    package = tmp_path / "acme_loyalty"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit('imported')\n")
    found = checked(tmp_path, "acme_loyalty")
    assert found.returncode == 1
    assert "acme_loyalty/__init__.py:1: holds no PLUGIN" in found.stdout
