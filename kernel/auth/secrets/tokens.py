"""Access tokens (JWT, short-lived) and refresh tokens (opaque, used once)."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import uuid

import jwt
import msgspec

from kernel.db import new_id
from kernel.errors import Unauthenticated

ISSUER = "duka"
AUDIENCE = "duka-api"
_CLAIMS = ["iss", "aud", "sub", "sid", "exp", "iat", "jti", "typ"]


class Claims(msgspec.Struct, frozen=True):
    """What an access token says."""

    user_id: uuid.UUID
    sign_in_id: uuid.UUID
    business_id: uuid.UUID | None


def make_access_token(claims: Claims, secret: str, now: dt.datetime, life: dt.timedelta) -> str:
    """A signed access token for a user, a sign-in and a business."""
    said = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "typ": "access",
        "sub": str(claims.user_id),
        "sid": str(claims.sign_in_id),
        "biz": str(claims.business_id) if claims.business_id else None,
        "iat": int(now.timestamp()),
        "exp": int((now + life).timestamp()),
        "jti": new_id().hex,
    }
    return jwt.encode(said, secret, algorithm="HS256")


class _Read(msgspec.Struct, frozen=True):
    """A token whose signature and claims were checked once; whether it is alive is asked each time."""

    claims: Claims
    begins: float
    ends: float


_READ: dict[tuple[str, str], _Read] = {}
_MOST_READ = 10_000


def read_access_token(token: str, secret: str, now: dt.datetime) -> Claims:
    """The claims of a token that is ours, of the right type and alive. Raises Unauthenticated."""
    read = _READ.get((token, secret))
    if read is None:
        read = _checked(token, secret)
        if len(_READ) >= _MOST_READ:
            _READ.clear()
        _READ[token, secret] = read
    if not read.begins <= now.timestamp() < read.ends:
        raise Unauthenticated("The access token has expired or is not one")
    return read.claims


def _checked(token: str, secret: str) -> _Read:
    try:
        said = jwt.decode(
            token,
            secret,
            algorithms=["HS256"],
            audience=AUDIENCE,
            issuer=ISSUER,
            options={"require": _CLAIMS, "verify_exp": False, "verify_iat": False, "strict_aud": True},
        )
        whole = type(said["exp"]) is int and type(said["iat"]) is int
        if not whole or said["typ"] != "access":
            raise Unauthenticated("This is not an access token")
        business = uuid.UUID(said["biz"]) if said.get("biz") else None
        claims = Claims(uuid.UUID(said["sub"]), uuid.UUID(said["sid"]), business)
        return _Read(claims, said["iat"] - 60, said["exp"])
    except (jwt.InvalidTokenError, ValueError, TypeError, KeyError, AttributeError) as fault:
        raise Unauthenticated("The access token is not valid") from fault


def make_refresh_token() -> tuple[str, bytes]:
    """A new refresh token and the hash that is stored of it."""
    token = f"r_{secrets.token_urlsafe(32)}"
    return token, hash_refresh_token(token)


def hash_refresh_token(token: str) -> bytes:
    """What is stored of a refresh token."""
    return hashlib.sha256(token.encode()).digest()
