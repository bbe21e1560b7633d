"""The console: the pages on which businesses run their shops, and the places where plugins put theirs."""

from kernel.plugin import Plugin

PLUGIN = Plugin(
    name="console",
    version="0.1.0",
    title="Console",
    summary="The console: the pages on which businesses run their shops, and the places where plugins put theirs.",
    settings="schemas.settings:Settings",
)
