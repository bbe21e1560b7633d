"""Problem documents (RFC 9457): the one shape of every error answer, and the one place that makes it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from litestar.exceptions import HTTPException

from kernel import errors
from kernel.db import trouble_of
from kernel.web.languages import Languages
from kernel.work import as_told

log = logging.getLogger("duka.web")
MEDIA_TYPE = "application/problem+json"
TYPES = "/problems/"
ENGLISH = Languages(())


class Problem(msgspec.Struct, frozen=True):
    """A problem document, ready to be sent."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def problem(
    error: errors.DukaError, request_id: str, languages: Languages = ENGLISH, accept: str | None = None
) -> Problem:
    """The document of an error. accept: the request's Accept-Language."""
    told = languages.tell(error, accept)
    document: dict[str, Any] = {
        "type": TYPES + error.code,
        "title": told.title,
        "status": error.status,
        "detail": told.detail,
        "code": error.code,
        "request_id": request_id,
    }
    document |= error.members
    if told.faults:
        document["errors"] = [fault.as_dict() for fault in told.faults]
    spoken = {"Content-Type": MEDIA_TYPE, "Content-Language": told.languages, "Vary": "Accept-Language"}
    return Problem(error.status, {**spoken, **error.headers}, msgspec.json.encode(document))


def as_duka_error(error: BaseException, request_id: str) -> errors.DukaError:
    """Any error as one of ours; what is nobody's fault but ours is logged with the request's id and told as 500."""
    if isinstance(error, errors.DukaError):
        return error
    if isinstance(error, HTTPException):
        return _from_framework(error, request_id)
    if trouble := trouble_of(error):
        told = as_told(trouble)
        if told.status >= 500:
            log.error("request %s: %s", request_id, trouble.kind, exc_info=error)
        return told
    log.error("request %s failed", request_id, exc_info=error)
    return errors.Internal("The fault is in the log under this request id")


_BY_STATUS: dict[int, type[errors.DukaError]] = {
    HTTPStatus.NOT_FOUND: errors.NotFound,
    HTTPStatus.REQUEST_TIMEOUT: errors.RequestTimeout,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: errors.PayloadTooLarge,
    HTTPStatus.REQUEST_URI_TOO_LONG: errors.UriTooLong,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: errors.UnsupportedMediaType,
    HTTPStatus.SERVICE_UNAVAILABLE: errors.Unavailable,
}


def _from_framework(error: HTTPException, request_id: str) -> errors.DukaError:
    """An error raised by the framework. Its own words may speak of our insides: they go to the log."""
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return errors.MethodNotAllowed(headers={"Allow": "GET, HEAD, OPTIONS"})  # operations never come this far
    if kind := _BY_STATUS.get(error.status_code):
        return kind()
    if error.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("request %s failed", request_id, exc_info=error)
        return errors.Internal("The fault is in the log under this request id")
    log.info("request %s was refused by the framework", request_id, exc_info=error)
    return errors.BadRequest()
