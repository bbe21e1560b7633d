"""Uninstalling: a plugin's data leaves the deployment in one file and comes back from it, byte for byte.

Call these with no deed open: they take locks that every deed shares. They run with the login that owns the tables.
"""

from kernel.app.uninstalling.archiving import Archived, archive
from kernel.app.uninstalling.faults import (
    ArchiveStale,
    Busy,
    NotInstalled,
    ReferredTo,
    StillEnabled,
    StillNeeded,
    TornHold,
)
from kernel.app.uninstalling.installing import Installed, install, upgrade_plugin
from kernel.app.uninstalling.removing import Purged, Uninstalled, purge, uninstall
from kernel.app.uninstalling.restoring import Restored, restore

__all__ = [
    "ArchiveStale",
    "Archived",
    "Busy",
    "Installed",
    "NotInstalled",
    "Purged",
    "ReferredTo",
    "Restored",
    "StillEnabled",
    "StillNeeded",
    "TornHold",
    "Uninstalled",
    "archive",
    "install",
    "purge",
    "restore",
    "uninstall",
    "upgrade_plugin",
]
