"""Reconciliation: what the till took held against what providers and banks say, line by line and day by day."""

from kernel.plugin import Plugin

PLUGIN = Plugin(
    name="reconciliation",
    version="0.1.0",
    title="Reconciliation",
    summary="What the till took, held against what providers and banks say, line by line and day by day.",
    depends=("payments>=0.2",),
)
