"""Problem documents (RFC 9457): the one shape of every error answer, and the one place that makes it."""

from __future__ import annotations

import logging
from typing import Any

import msgspec
from litestar.exceptions import HTTPException

from kernel import errors
from kernel.db import trouble_of
from kernel.work import as_told

log = logging.getLogger("duka.web")
MEDIA_TYPE = "application/problem+json"
TYPES = "/problems/"


def problem(error: errors.DukaError, request_id: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of an error."""
    document: dict[str, Any] = {
        "type": TYPES + error.code,
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "code": error.code,
        "request_id": request_id,
    }
    document |= error.members
    if error.faults:
        document["errors"] = [fault.as_dict() for fault in error.faults]
    return error.status, {"Content-Type": MEDIA_TYPE, **error.headers}, msgspec.json.encode(document)


def as_duka_error(error: BaseException, request_id: str) -> errors.DukaError:
    """Any error as one of ours; what is nobody's fault but ours is logged with the request's id and told as 500."""
    if isinstance(error, errors.DukaError):
        return error
    if isinstance(error, HTTPException):
        return _from_framework(error)
    if trouble := trouble_of(error):
        told = as_told(trouble)
        if told.status >= 500:
            log.error("request %s: %s", request_id, trouble.kind, exc_info=error)
        return told
    log.error("request %s failed", request_id, exc_info=error)
    return errors.Internal("The fault is in the log under this request id")


def _from_framework(error: HTTPException) -> errors.DukaError:
    match error.status_code:
        case 404:
            return errors.NotFound()
        case 405:
            return errors.MethodNotAllowed(headers={"Allow": "GET"})  # operations of the API never come this far
        case 413:
            return errors.PayloadTooLarge()
        case status if status >= 500:
            return errors.Internal()
    return errors.BadRequest(str(error.detail))
