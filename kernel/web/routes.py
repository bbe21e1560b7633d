"""How a route is declared: `command` for writes, `query` for reads, `flow` for several deeds, `stream` for events.

A route function takes its `Work` (a flow its `Scene`, a stream its `Watch`) first, then its path parameters by name,
`data` for the body and `query` for the query string. Its annotations are the contract: they decode requests and write
the OpenAPI document.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from kernel.auth.rights import permissions
from kernel.errors import DukaError
from kernel.web.shaping import Include, field_names
from kernel.web.uploads import Takes, TakesRaw
from kernel.wire import RawAnswer, RawRequest, Reply, StreamEvent, Upload

Kind = Literal["command", "query", "flow", "stream"]

_GIVEN = ("data", "query", "upload", "raw")
PUBLIC = "public"
"""Anyone may call it."""
SIGNED_IN = "signed-in"
"""Anyone signed in may call it."""
IN_PERSON = "in-person"
"""Anyone may call it who signed in with their password: no API key, no sign-in by PIN at a till."""
TILL = permissions.TILL
"""Only a registered till's device may call it, with its device token."""
OPERATOR = "operator"
"""Only operators of the deployment may call it."""


@dataclass(frozen=True)
class Route:
    """One operation of the API."""

    kind: Kind
    method: str
    path: str
    function: Callable[..., Any]
    permission: str
    status: int
    moves: bool
    read_first: bool
    switches: bool
    errors: tuple[type[DukaError], ...]
    summary: str
    description: str
    body: Any = None
    query: type[msgspec.Struct] | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    answer: Any = None
    plugin: str = ""
    conditional: bool = False
    may_wait: bool = False
    includes: tuple[Include, ...] = ()
    takes: Takes | None = None
    raw: TakesRaw | None = None
    longest_s: float | None = None
    instead: Mapping[str, Route] = field(default_factory=dict)
    begins: bool = False
    keyed: bool = False
    is_page: bool = False

    @property
    def takes_shape(self) -> bool:
        """Whether a reader may ask for some fields only, or for more."""
        return self.kind == "query" and self.method == "GET" and bool(field_names(self.answer))

    @property
    def operation(self) -> str:
        """Its name in OpenAPI and the audit trail."""
        return f"{self.plugin}.{self.function.__name__}"

    @property
    def takes_key(self) -> bool:
        """Whether an Idempotency-Key is read."""
        return self.keyed or (self.kind == "command" and self.method == "POST")

    def mounted(self, plugin: str, prefix: str) -> Route:
        """The same route, under a prefix; a page stands where it says."""
        instead = {action: route.mounted(plugin, prefix) for action, route in self.instead.items()}
        return replace(self, plugin=plugin, path=self.path if self.is_page else prefix + self.path, instead=instead)

    def meant_by(self, body: Any) -> Route:
        """The route that does what a body asks for: this one, or the one for its `action`."""
        action = body.get("action") if isinstance(body, dict) else None
        return self.instead.get(action, self) if isinstance(action, str) else self


def query(
    path: str,
    *,
    permission: str,
    method: Literal["GET", "POST"] = "GET",
    errors: Sequence[type[DukaError]] = (),
    includes: Sequence[Include] = (),
    instead: Mapping[str, Route] | None = None,
) -> Callable[[Callable[..., Awaitable[Any]]], Route]:
    """Declare a read, in one snapshot. POST only for questions too large for a query string; it writes nothing.

    includes: what the answer points at and `?include=` brings along. instead: as of `command`.
    """
    return lambda function: replace(
        _route("query", method, path, function, permission, 200, errors=errors),
        includes=tuple(includes),
        instead=instead or {},
    )


def command(
    method: Literal["POST", "PATCH", "PUT", "DELETE"],
    path: str,
    *,
    permission: str,
    status: int | None = None,
    moves: bool = False,
    read_first: bool = False,
    switches: bool = False,
    may_wait: bool = False,
    conditional: bool = False,
    errors: Sequence[type[DukaError]] = (),
    instead: Mapping[str, Route] | None = None,
) -> Callable[[Callable[..., Awaitable[Any]]], Route]:
    """Declare a write: one deed.

    moves: money or stock moves, so an Idempotency-Key is required.
    switches: what is on changes, so the deed takes the business's exclusive lock.
    read_first: the deed begins in a read phase, and moves on by `await work.write()`.
    conditional: it asks for If-Match; PATCH and PUT do anyway.
    may_wait: the answer may be 202: done as far as it can be, and waiting for something outside.
    instead: value of the body's `action` → the route, of the same path and body, that does it with a right of its own.
    """
    usual = {"POST": 201, "DELETE": 204}.get(method, 200)
    return lambda function: replace(
        _route(
            "command",
            method,
            path,
            function,
            permission,
            status or usual,
            errors,
            moves=moves,
            read_first=read_first,
            switches=switches,
            may_wait=may_wait,
        ),
        instead=instead or {},
        conditional=conditional or method in ("PATCH", "PUT"),
    )


def flow(
    method: Literal["GET", "POST"],
    path: str,
    *,
    permission: str,
    status: int = 200,
    errors: Sequence[type[DukaError]] = (),
    takes: Takes | None = None,
    raw: TakesRaw | None = None,
    longest_s: float | None = None,
    keyed: bool = False,
    is_page: bool = False,
) -> Callable[[Callable[..., Awaitable[Any]]], Route]:
    """Declare a write of several deeds, with no transaction open between them.

    GET only for what is read apart from the deed that notes in the audit trail who read it, and for raw requests.
    takes: the body is a file, given to the function as `upload`. raw: somebody else decides what is sent and what they
    want to hear: the request is given as it came, as `raw`, and a RawAnswer is sent. longest_s: how long it may take to
    answer. keyed: it heeds an Idempotency-Key by itself, as `scene.key` has it. is_page: people open its address, which
    is short for that: it is no operation of the API, and not mounted below `/api/v1`.
    """
    return lambda function: replace(
        _route("flow", method, path, function, permission, status, errors),
        takes=takes,
        raw=raw,
        longest_s=takes.longest_s if takes else longest_s,
        keyed=keyed,
        is_page=is_page,
    )


def stream(
    path: str, *, permission: str, errors: Sequence[type[DukaError]] = (), is_page: bool = False
) -> Callable[[Callable[..., AsyncIterator[StreamEvent[Any]]]], Route]:
    """Declare a stream of events, for who waits for something to change.

    The function is an async generator; it is given a `kernel.web.Watch` first and yields `kernel.wire.StreamEvent`s:
    how things stand, at once, then what changes, from a Struct of one kind. It ends with `is_last`, or with whoever
    listens. Not for what nobody looks at: a stream is bounded, may be missed, and holds a connection. is_page: as of
    `flow`.
    """

    def declare(function: Callable[..., AsyncIterator[StreamEvent[Any]]]) -> Route:
        told = get_args(get_type_hints(function, include_extras=True)["return"])
        if not inspect.isasyncgenfunction(function) or [get_origin(one) for one in told[:1]] != [StreamEvent]:
            raise TypeError(f"{function.__name__} is no async generator of StreamEvent[...]")
        made = _route("stream", "GET", path, function, permission, 200, errors)
        return replace(made, answer=get_args(told[0])[0], is_page=is_page)

    return declare


def _route(
    kind: Kind,
    method: str,
    path: str,
    function: Callable[..., Any],
    permission: str,
    status: int,
    errors: Sequence[type[DukaError]],
    *,
    moves: bool = False,
    read_first: bool = False,
    switches: bool = False,
    may_wait: bool = False,
) -> Route:
    hints = get_type_hints(function, include_extras=True)
    answer = hints.pop("return", None)
    names = list(inspect.signature(function).parameters)[1:]
    in_path = re.findall(r"{(\w+)}", path)
    if hints.get("upload", Upload) is not Upload:
        raise TypeError(f"{function.__name__}: `upload` is an Upload")
    if hints.get("raw", RawRequest) is not RawRequest or ("raw" in hints and answer is not RawAnswer):
        raise TypeError(f"{function.__name__}: `raw` is a RawRequest, and is answered by a RawAnswer")
    if missing := [name for name in names if name not in (*in_path, *_GIVEN)]:
        raise TypeError(f"{function.__name__}: parameters {missing} are neither in the path nor {', '.join(_GIVEN)}")
    if not permission:
        raise TypeError(f"{function.__name__} declares neither a permission nor that it is public")
    summary, _, description = inspect.cleandoc(function.__doc__ or "").partition("\n")
    return Route(
        kind,
        method,
        path,
        function,
        permission,
        204 if answer is type(None) and status == 200 else status,
        moves,
        read_first,
        switches,
        tuple(errors),
        summary.rstrip("."),
        description.strip(),
        body=hints.get("data"),
        query=hints.get("query"),
        parameters={name: hints[name] for name in in_path if name in hints},
        answer=_answer(answer),
        conditional=method in ("PATCH", "PUT"),
        may_wait=may_wait,
    )


def _answer(annotation: Any) -> Any:
    if annotation is type(None):
        return None
    return get_args(annotation)[0] if get_origin(annotation) is Reply else annotation
