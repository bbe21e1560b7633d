"""A plugin under development in a demo shop: served anew when its files change, its answers to hooks told."""

from kernel.kit.developing.faults import Trouble, trouble_in
from kernel.kit.developing.project import Project, read_project
from kernel.kit.developing.serving import Bench, serve
from kernel.kit.developing.telling import Teller
from kernel.kit.developing.tracing import Call, Tracer, Turn
from kernel.kit.developing.watching import Reloading

__all__ = [
    "Bench",
    "Call",
    "Project",
    "Reloading",
    "Teller",
    "Tracer",
    "Trouble",
    "Turn",
    "read_project",
    "serve",
    "trouble_in",
]
