"""The second factor: a code from the person's phone beside the password, and recovery codes for the day it is lost."""

from __future__ import annotations

import enum
import secrets
import uuid
from typing import Annotated

import sqlalchemy as sa
from msgspec import Meta

from kernel.auth.credentials import RecoveryCode, SecondFactor
from kernel.auth.limits import count_try, forget_tries
from kernel.auth.secrets import totp, vault
from kernel.auth.telling import tell_of_change
from kernel.errors import Conflict, SecondFactorRequired, SecondFactorWrong
from kernel.work import Work

Code = Annotated[
    str,
    Meta(
        pattern=r"\A([0-9]{6}|[A-Za-z2-7]{4}(-[A-Za-z2-7]{4}){3})\Z",
        description="Six digits from the app, or a recovery code.",
        examples=["287082"],
    ),
]
TRIES = 10
"""Codes tried a person in a quarter of an hour; only who knows the password comes so far."""
RECOVERY_CODES = 10
PURPOSE = "second factor"
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


class Verdict(enum.Enum):
    """What became of a code. It is returned, not raised, so that the try is counted: its deed must commit."""

    NOT_NEEDED = "not needed"
    RIGHT = "right"
    MISSING = "missing"
    WRONG = "wrong"

    def admit(self) -> None:
        """Raise SecondFactorRequired or SecondFactorWrong unless the person may pass."""
        if self is Verdict.MISSING:
            raise SecondFactorRequired("Send the same request again, with the code of your authenticator app")
        if self is Verdict.WRONG:
            raise SecondFactorWrong


async def check(work: Work, user_id: uuid.UUID, code: str | None) -> Verdict:
    """Judge and use up a code at sign-in, where the person has a second factor. Raises RateLimited."""
    if not await is_on(work, user_id):
        return Verdict.NOT_NEEDED
    if code is None:
        return Verdict.MISSING
    return Verdict.RIGHT if await use_code(work, user_id, code) else Verdict.WRONG


async def is_on(work: Work, user_id: uuid.UUID) -> bool:
    """Whether a person has a confirmed second factor."""
    here = sa.select(SecondFactor.user_id).where(
        SecondFactor.user_id == user_id, SecondFactor.confirmed_at.is_not(None)
    )
    return (await work.execute(here)).first() is not None


async def begin(work: Work, user_id: uuid.UUID) -> bytes:
    """A fresh secret, which counts for nothing until it is confirmed. Raises Conflict while one is on."""
    if await is_on(work, user_id):
        raise Conflict("A second factor is on; switch it off first")
    await work.execute(
        sa.delete(SecondFactor).where(SecondFactor.user_id == user_id, SecondFactor.confirmed_at.is_(None))
    )
    secret = secrets.token_bytes(20)
    sealed = vault.seal(work.deployment, PURPOSE, str(user_id), totp.as_text(secret))
    await work.execute(sa.insert(SecondFactor).values(user_id=user_id, sealed=sealed, begun_at=work.now, last_step=0))
    return secret


async def confirm(work: Work, user_id: uuid.UUID, code: str) -> list[str] | None:
    """Switch the factor on with a first code; returns the recovery codes, None for a wrong code. Raises RateLimited."""
    await count_try(work, _tries(user_id), TRIES)
    step = await _step_of(work, user_id, code)
    if step is None:
        return None
    switched = await work.execute(
        sa.update(SecondFactor)
        .where(SecondFactor.user_id == user_id, SecondFactor.confirmed_at.is_(None))
        .values(confirmed_at=work.now, last_step=step)
    )
    if not switched.rowcount:
        return None
    await forget_tries(work, _tries(user_id))
    tell_of_change(work, user_id, "second_factor_on")
    return await _fresh_recovery_codes(work, user_id)


async def use_code(work: Work, user_id: uuid.UUID, code: str) -> bool:
    """Take a code of the app or a recovery code, once. The deed must commit either way. Raises RateLimited."""
    await count_try(work, _tries(user_id), TRIES)
    by_app = len(code) == totp.DIGITS
    taken = await (_take_step(work, user_id, code) if by_app else _take_recovery_code(work, user_id, code))
    if taken:
        await forget_tries(work, _tries(user_id))
    return taken


async def switch_off(work: Work, user_id: uuid.UUID) -> None:
    """Forget a person's secret and recovery codes, and tell them if there were any."""
    was_on = await is_on(work, user_id)
    await work.execute(sa.delete(SecondFactor).where(SecondFactor.user_id == user_id))
    await work.execute(sa.delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    if was_on:
        tell_of_change(work, user_id, "second_factor_off")


async def renew_recovery_codes(work: Work, user_id: uuid.UUID) -> list[str]:
    """Ten fresh recovery codes; those from before are worth nothing any more."""
    tell_of_change(work, user_id, "recovery_codes_renewed")
    return await _fresh_recovery_codes(work, user_id)


async def _fresh_recovery_codes(work: Work, user_id: uuid.UUID) -> list[str]:
    """Ten recovery codes of 80 random bits each, in the place of all others."""
    codes = [_recovery_code() for _ in range(RECOVERY_CODES)]
    await work.execute(sa.delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    rows = [{"user_id": user_id, "hash": _hashes(work, user_id, code)[0]} for code in codes]
    await work.execute(sa.insert(RecoveryCode), rows)
    return codes


async def _take_step(work: Work, user_id: uuid.UUID, code: str) -> bool:
    """A step is good once, and none after a later one: one conditional update, so of two at once one wins."""
    step = await _step_of(work, user_id, code)
    if step is None:
        return False
    taken = await work.execute(
        sa.update(SecondFactor)
        .where(SecondFactor.user_id == user_id, SecondFactor.confirmed_at.is_not(None), SecondFactor.last_step < step)
        .values(last_step=step)
    )
    return bool(taken.rowcount)


async def _take_recovery_code(work: Work, user_id: uuid.UUID, code: str) -> bool:
    taken = await work.execute(
        sa.update(RecoveryCode)
        .where(
            RecoveryCode.user_id == user_id,
            RecoveryCode.hash.in_(_hashes(work, user_id, code)),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=work.now)
    )
    return bool(taken.rowcount)


async def _step_of(work: Work, user_id: uuid.UUID, code: str) -> int | None:
    found = await work.execute(sa.select(SecondFactor.sealed).where(SecondFactor.user_id == user_id))
    sealed = found.scalar_one_or_none()
    if sealed is None:
        return None
    secret = vault.unseal(work.deployment, PURPOSE, str(user_id), sealed)
    return totp.matching_step(totp.from_text(secret), code, work.now)


def _hashes(work: Work, user_id: uuid.UUID, code: str) -> list[bytes]:
    return vault.keyed_hashes(work.deployment, "recovery code", f"{user_id}\n{code.lower()}")


def _recovery_code() -> str:
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))


def _tries(user_id: uuid.UUID) -> str:
    return f"second-factor:{user_id}"
