"""The process that holds the port: it starts the one that serves, and another when a file has changed.

Requests that come meanwhile wait at the port instead of being refused.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Final

import uvicorn
from uvicorn.supervisors.basereload import BaseReload

from kernel.kit.developing.project import Project, changes

SETTLED_S: Final = 0.15
"""Editors and checkouts write several files in a row: no reload until so long nothing more has changed."""

Target = Callable[[list[socket.socket] | None], None]


class Reloading(BaseReload):
    """Serves a project until it is stopped. said: told the names of the files for which it begins anew."""

    def __init__(
        self,
        config: uvicorn.Config,
        target: Target,
        sockets: list[socket.socket],
        project: Project,
        said: Callable[[list[str]], None],
    ) -> None:
        super().__init__(config, target, sockets)
        self.reloader_name = "files"
        self._project, self._said = project, said
        self._known = project.state()

    def should_restart(self) -> list[Path] | None:
        """The files that changed since the last look; None for none."""
        self.pause()
        now = self._project.state()
        if now == self._known:
            return None
        while not self.should_exit.wait(SETTLED_S) and (later := self._project.state()) != now:
            now = later
        changed, self._known = changes(self._known, now), now
        self._said([str(one.relative_to(self._project.folder)) for one in changed])
        return changed
