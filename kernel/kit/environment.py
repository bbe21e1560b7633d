"""Virtual environments that see the Duka of the command that makes them, and hold one plugin more; no network.

A new environment is empty but for one line that adds this environment's packages behind its own. So what is there need
not be fetched again, and a package that is missing is asked of the index that pip is set up with, as anywhere.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import Final

import kernel
from kernel.kit.faults import KitFault

COMMAND: Final = """#!/bin/sh
exec "$(dirname "$0")/python" -c "from kernel.cli import main; main()" "$@"
"""
"""`duka` of an environment."""


def make_environment(folder: Path) -> Path:
    """Make an environment with the command `duka` in it, replacing what was there; returns its Python."""
    if folder.exists() and any(folder.iterdir()) and not (folder / "pyvenv.cfg").is_file():
        raise KitFault(f"{folder} is no virtual environment; move it away, or name another folder")
    venv.create(folder, clear=True, symlinks=True, with_pip=False)
    python = folder / "bin" / "python"
    lines = [f"import site; site.addsitedir({place!r})" for place in _packages()]
    if (home := str(Path(kernel.__file__).parents[1])) not in _packages():
        lines.insert(0, home)
    packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder), "platbase": str(folder)}))
    (packages / "duka_beside.pth").write_text("\n".join(lines) + "\n", encoding="utf-8")
    command = folder / "bin" / "duka"
    command.write_text(COMMAND, encoding="utf-8")
    command.chmod(0o755)
    return python


def install(python: Path, what: Path, *, editable: bool = False) -> None:
    """Install a project or a wheel into an environment, with what it needs. Raises KitFault with what pip says.

    It stands there itself, before one of the same name and version that the environment sees beside it.
    """
    one = [*(["--editable"] if editable else []), str(what)]
    _run(_pip(python), "install", "--no-build-isolation", "--no-deps", "--ignore-installed", *one)
    _run(_pip(python), "install", "--no-build-isolation", *one)


def build_wheel(project: Path, into: Path) -> Path:
    """Build the wheel of a project. Raises KitFault with what the build says."""
    into.mkdir(parents=True, exist_ok=True)
    known = set(into.glob("*.whl"))
    _run(_pip(None), "wheel", "--no-build-isolation", "--no-deps", "--wheel-dir", str(into), str(project))
    made = sorted(set(into.glob("*.whl")) - known, key=lambda one: one.stat().st_mtime)
    if not made:
        made = sorted(into.glob("*.whl"), key=lambda one: one.stat().st_mtime)
    return made[-1]


def _pip(python: Path | None) -> list[str]:
    target = ["--python", str(python)] if python else []
    return [sys.executable, "-m", "pip", *target, "--quiet", "--disable-pip-version-check"]


def _run(command: list[str], *arguments: str) -> None:
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False, env=_environment())
    if done.returncode:
        said = done.stderr.strip() or done.stdout.strip()
        if "No module named pip" in said:
            said = f"there is no pip beside {sys.executable}; run: {sys.executable} -m ensurepip"
        elif "hatchling" in said or "editables" in said:
            said += "\nThe tools to build with are in the extra: pip install 'duka-erp[kit]'"
        raise KitFault(said)


def _environment() -> dict[str, str]:
    """This environment; what Python may import is said by the environments themselves."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}


def _packages() -> list[str]:
    paths = sysconfig.get_paths()
    return list(dict.fromkeys((paths["purelib"], paths["platlib"])))
