"""What the gate must know of the routes before they are matched: which paths are open, and their methods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kernel.web.routes import PUBLIC, Route

API = "/api/v1/"
DOCUMENT = f"{API}openapi.json"
WATCHED = frozenset({"/health/live", "/health/ready", "/metrics"})
"""What watches a deployment asks here: by address rather than by host name, often, and when the database is away."""
PAGES = ("/", "/docs", DOCUMENT, *sorted(WATCHED))
"""Paths open to anyone that are no operations; each answers to GET."""
OPEN = ("/static/", "/health/")

ENROLMENT = frozenset(
    {
        *(("GET", DOCUMENT), ("GET", f"{API}auth/me"), ("GET", f"{API}auth/second-factor")),
        *(("POST", f"{API}auth/second-factor"), ("POST", f"{API}auth/second-factor/confirm")),
        *(("POST", f"{API}auth/switch"), ("POST", f"{API}auth/logout"), ("POST", f"{API}auth/logout/everywhere")),
    }
)
"""All that is open to somebody who must set up a second factor first."""


class Place:
    """A path that has been found: its operations by method. is_stream: whether one of them goes on telling."""

    def __init__(self, routes: Mapping[str, Route | None]) -> None:
        self.routes = routes
        self.is_stream = any(one is not None and one.kind == "stream" for one in routes.values())
        methods = {*routes, "OPTIONS"} | ({"HEAD"} if "GET" in routes else set())
        self.allow = ", ".join(sorted(methods))

    def is_open(self, method: str) -> bool:
        """Whether anyone may ask; of a method that is not here, whether anyone may ask for something here."""
        if method in self.routes:
            return _is_public(self.routes[method])
        return any(map(_is_public, self.routes.values()))


class _Step:
    """One part of a path; walked as the router walks, the spelt part before the parameter and never back."""

    __slots__ = ("below", "parameter", "place", "routes")

    def __init__(self) -> None:
        self.below: dict[str, _Step] = {}
        self.parameter: _Step | None = None
        self.routes: dict[str, Route | None] = {}
        self.place: Place | None = None


class Paths:
    """Every path there is."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = _Step()
        for path in PAGES:
            self._step(path).routes["GET"] = None
        for route in routes:
            self._step(route.path).routes[route.method] = route
        _close(self._root)
        self._static = Place({"GET": None})

    def find(self, path: str) -> Place | None:
        """The place a path leads to."""
        if path.startswith("/static/"):
            return self._static
        step = self._root
        for part in path.split("/"):
            if part:
                below = step.below.get(part) or step.parameter
                if below is None:
                    return None
                step = below
        return step.place

    def _step(self, path: str) -> _Step:
        step = self._root
        for part in filter(None, path.split("/")):
            if part.startswith("{"):
                step.parameter = step = step.parameter or _Step()
            else:
                step = step.below.setdefault(part, _Step())
        return step


def values_of(declared: str, path: str) -> dict[str, str]:
    """What stands in a path for the parameters of the declared one that it was found by."""
    both = zip(filter(None, declared.split("/")), filter(None, path.split("/")), strict=False)
    return {name[1:-1]: said for name, said in both if name.startswith("{")}


def is_open(place: Place | None, path: str, method: str) -> bool:
    """Whether anyone may ask for a path."""
    return place.is_open(method) if place else path.startswith(OPEN)


def _close(step: _Step) -> None:
    step.place = Place(step.routes) if step.routes else None
    for below in (*step.below.values(), *([step.parameter] if step.parameter else ())):
        _close(below)


def _is_public(route: Route | None) -> bool:
    return route is None or route.permission == PUBLIC
