"""The console: the pages on which businesses run their shops, and the places where plugins put theirs."""

from kernel.plugin import Permission, Plugin

PLUGIN = Plugin(
    name="console",
    version="0.1.0",
    title="Console",
    summary="The console: the pages on which businesses run their shops, and the places where plugins put theirs.",
    settings="schemas.settings:Settings",
    permissions=(Permission("console.share_views", "Save views of lists for everybody"),),
    grants={"manager": ("console.share_views",)},
)
