"""Why a plugin is not uninstalled, or not brought back."""

from __future__ import annotations

from kernel.errors import Conflict


class NotInstalled(Conflict):
    """There is no such plugin, or it is not installed."""

    code, title = "plugin-not-installed", "The plugin is not installed"


class StillNeeded(Conflict):
    """Other plugins that are installed stand on it."""

    code, title = "plugin-still-needed", "Other plugins stand on it"


class StillEnabled(Conflict):
    """It is on for some businesses."""

    code, title = "plugin-still-enabled", "It is on for a business"


class ReferredTo(Conflict):
    """Tables that are not the plugin's refer to its tables."""

    code, title = "plugin-referred-to", "Other tables refer to it"


class TornHold(Conflict):
    """A table that is kept refers to one that would go."""

    code, title = "plugin-hold-torn", "What is kept would not be whole"


class ArchiveStale(Conflict):
    """The archive is not what stands in the tables now."""

    code, title = "plugin-archive-stale", "The archive is out of date"


class Busy(Conflict):
    """The deployment was never at rest for the moment it takes."""

    code, title = "deployment-busy", "The deployment is busy"
