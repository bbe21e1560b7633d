"""Faults with a name: every refusal Duka gives is one of these, and becomes one problem document (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import msgspec

__all__ = [
    "AlreadyExists",
    "BadHost",
    "BadRequest",
    "BusinessSuspended",
    "Conflict",
    "DukaError",
    "Elsewhere",
    "Fault",
    "Forbidden",
    "HeadersTooLarge",
    "IdempotencyInProgress",
    "IdempotencyKeyInvalid",
    "IdempotencyKeyRequired",
    "IdempotencyKeyReused",
    "InUse",
    "Internal",
    "Invalid",
    "InvalidCursor",
    "MalformedJson",
    "MethodNotAllowed",
    "NotFound",
    "NotReady",
    "PayloadTooLarge",
    "PluginDraining",
    "PluginFault",
    "PreconditionFailed",
    "PreconditionRequired",
    "RateLimited",
    "RequestTimeout",
    "SecondFactorDemanded",
    "SecondFactorRequired",
    "SecondFactorWrong",
    "SettingsFault",
    "StillOpen",
    "TooDeep",
    "TookTooLong",
    "Unauthenticated",
    "Unavailable",
    "UnsupportedMediaType",
    "UriTooLong",
]


class Fault(msgspec.Struct, frozen=True):
    """One thing wrong at one place: a JSON pointer into the body (or `?name` of a parameter), a code, and facts."""

    pointer: str
    code: str
    detail: str = ""
    facts: Mapping[str, str] = {}

    def as_dict(self) -> dict[str, str]:
        """The fault as it stands in a problem document, its facts beside the rest."""
        said = {"pointer": self.pointer, "code": self.code}
        if self.detail:
            said["detail"] = self.detail
        return said | dict(self.facts)


class DukaError(Exception):
    """The parent of every fault. A subclass names one case: HTTP status, stable code, title."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad-request"
    title: ClassVar[str] = "Bad request"
    members: Mapping[str, Any] = {}
    """More members of the problem document."""

    def __init__(
        self, detail: str = "", *, faults: Sequence[Fault] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.faults = tuple(faults)
        self.headers = dict(headers or {})


class BadRequest(DukaError):
    """The request cannot be understood at all."""


class MalformedJson(DukaError):
    """The body is not one JSON document in UTF-8 with distinct keys."""

    code, title = "malformed-json", "The body is not valid JSON"


class TooDeep(DukaError):
    """The body nests deeper than 32 levels."""

    code, title = "too-deep", "The body is nested too deeply"


class PayloadTooLarge(DukaError):
    """The body is larger than the route takes."""

    status, code, title = 413, "payload-too-large", "The body is too large"


class HeadersTooLarge(DukaError):
    """A header is longer than 8 KiB, or all of them are longer than 32 KiB or more than 100."""

    status, code, title = 431, "headers-too-large", "A header is too large"


class UriTooLong(DukaError):
    """The path or the query string is longer than 8 KiB."""

    status, code, title = 414, "uri-too-long", "The address is too long"


class RequestTimeout(DukaError):
    """The body did not arrive in time."""

    status, code, title = 408, "request-timeout", "The body did not arrive in time"

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail, headers={"Connection": "close"})


class UnsupportedMediaType(DukaError):
    """The body is not plain, unencoded application/json."""

    status, code, title = 415, "unsupported-media-type", "Send application/json"


class BadHost(DukaError):
    """The Host header names a host this deployment does not serve."""

    code, title = "bad-host", "Unknown host"


class Invalid(DukaError):
    """Parseable, but not valid: each fault says where and why."""

    status, code, title = 422, "validation", "The request is not valid"

    @classmethod
    def at(cls, pointer: str, detail: str, *, code: str = "invalid", **facts: str) -> Invalid:
        """One fault at one place."""
        return cls(detail, faults=[Fault(pointer, code, detail, facts)])


class Unauthenticated(DukaError):
    """No valid sign-in came with the request."""

    status, code, title = 401, "unauthenticated", "Sign in first"

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail, headers={"WWW-Authenticate": "Bearer"})


class SecondFactorRequired(Unauthenticated):
    """The password is right, and the account asks for a code beside it."""

    code, title = "second-factor-required", "A code of your second factor is needed"


class SecondFactorWrong(Unauthenticated):
    """The code is not of this moment, was used before, or is no recovery code."""

    code, title = "second-factor-wrong", "The code is not right"


class Forbidden(DukaError):
    """Signed in, but the person's role does not hold the permission."""

    status, code, title = 403, "forbidden", "Your role does not allow this"


class SecondFactorDemanded(Forbidden):
    """The business demands a second factor of the person's role, and the account has none: set one up first."""

    code, title = "second-factor-demanded", "Set up a second factor first"


class BusinessSuspended(DukaError):
    """The operator of the deployment has closed the business for now; nothing of it is lost."""

    status, code, title = 403, "business-suspended", "This business is suspended"


class Elsewhere(Forbidden):
    """The person does not work at the location they act for."""

    code, title = "elsewhere", "You do not work at this location"

    @classmethod
    def at(cls, pointer: str) -> Elsewhere:
        """The refusal, saying where the location is named."""
        return cls(faults=[Fault(pointer, cls.code)])


class NotFound(DukaError):
    """There is no such thing here; another business's thing looks exactly the same."""

    status, code, title = 404, "not-found", "Not found"

    @classmethod
    def at(cls, pointer: str, detail: str) -> NotFound:
        """Something named in the body (or at `?name`) is not there."""
        return cls(detail, faults=[Fault(pointer, "not-found", detail)])


class MethodNotAllowed(DukaError):
    """The path exists, the method does not."""

    status, code, title = 405, "method-not-allowed", "Method not allowed"


class Conflict(DukaError):
    """The request contradicts what is stored."""

    status, code, title = 409, "conflict", "This conflicts with what is stored"


class AlreadyExists(Conflict):
    """Something of the caller's own business already has this name, number or id."""

    code, title = "already-exists", "This already exists"


class InUse(Conflict):
    """Something else still refers to it."""

    code, title = "in-use", "This is still in use"


class StillOpen(Conflict):
    """Something is not finished that needs what would go."""

    code, title = "still-open", "Something is still open"


class PreconditionRequired(DukaError):
    """An update without If-Match."""

    status, code, title = 428, "precondition-required", "Send If-Match with the ETag you read"


class PreconditionFailed(DukaError):
    """The thing has changed since the caller read it."""

    status, code, title = 412, "precondition-failed", "This has changed since you read it"


class IdempotencyKeyRequired(DukaError):
    """A POST that moves money or stock came without an Idempotency-Key."""

    code, title = "idempotency-key-required", "Send an Idempotency-Key"


class IdempotencyKeyInvalid(DukaError):
    """The key is empty, longer than 255 characters or not printable ASCII."""

    code, title = "idempotency-key-invalid", "The Idempotency-Key is not valid"


class IdempotencyKeyReused(DukaError):
    """The key was used before with another body."""

    status, code, title = 422, "idempotency-key-reused", "This Idempotency-Key was used with another request"


class IdempotencyInProgress(DukaError):
    """A request with this key is being worked on right now."""

    status, code, title = 409, "idempotency-in-progress", "The first request with this key is still running"

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "1"})


class InvalidCursor(DukaError):
    """The cursor was not made by this list with these filters."""

    code, title = "invalid-cursor", "The cursor is not valid for this list"


class RateLimited(DukaError):
    """Too many tries in the window."""

    status, code, title = 429, "rate-limited", "Too many tries"

    def __init__(self, retry_after_s: int, detail: str = "") -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after_s)})


class TooManyStreams(RateLimited):
    """A process, a person, a key or a till has as many streams of events open as it may."""

    code, title = "too-many-streams", "Too many streams are open"

    def __init__(self) -> None:
        super().__init__(5, "Close one, or look now and then")


class NotReady(DukaError):
    """This process should be sent no requests now; `checks` says by name which check stands in the way."""

    status, code, title = 503, "not-ready", "Not ready"

    def __init__(self, checks: Mapping[str, str]) -> None:
        super().__init__(headers={"Retry-After": "1"})
        self.members = {"checks": dict(checks)}


class Unavailable(DukaError):
    """The database is busy or away; the same request may succeed in a moment."""

    status, code, title = 503, "unavailable", "Try again in a moment"

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail, headers={"Retry-After": "1"})


class Overloaded(Unavailable):
    """More requests come than can be answered in time; nothing was done. The same request may succeed in a moment."""

    code, title = "overloaded", "Too much to do just now"


class TookTooLong(Unavailable):
    """The request was not done within 30 seconds, and was given up."""

    code, title = "took-too-long", "This took too long and was given up"


class Internal(DukaError):
    """A fault of ours; the log holds the rest under the request id."""

    status, code, title = 500, "internal", "Something went wrong on our side"


class Failure(msgspec.Struct, frozen=True):
    """A plugin's answer to a hook that failed, and in words how: "raised KeyError". failing: the hook's policy."""

    plugin: str
    hook: str
    failing: Literal["refuse", "skip"]
    words: str


class PluginFailed(DukaError):
    """A plugin failed where nothing is done without it: stock, money, books. Everything was undone."""

    status, code, title = 503, "plugin-failed", "A plugin failed, so nothing was done"

    def __init__(self, failure: Failure, called: str) -> None:
        super().__init__(
            f"{called} failed, so nothing was sold, paid or changed. Try once more; if it fails again, tell the owner: "
            f"{called} has to be mended or switched off."
        )
        self.failure = failure
        self.members = {"plugin": failure.plugin, "hook": failure.hook}


class RunAgain(Exception):
    """The deed is to run again from the start; nobody but the unit of work catches this."""


class PluginFault(DukaError):
    """A plugin cannot be loaded, planned or switched as asked."""

    status, code, title = 409, "plugin-fault", "The plugin cannot be switched"


class PluginDraining(Conflict):
    """The plugin is being switched off: it ends what it has begun, and begins nothing more."""

    code, title = "plugin-draining", "This is being switched off; only what is open can be ended"


class SettingsFault(Exception):
    """A setting of the deployment is unknown or has a bad value."""
