"""The second factor of one's own account; and switching off another's, for those who manage people."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Annotated

import sqlalchemy as sa
from msgspec import Meta, Struct

from kernel.app.routes.people import _refuse_if_shared, _row
from kernel.app.routes.proving import OwnPassword, prove_password
from kernel.auth.credentials import RecoveryCode, SecondFactor
from kernel.auth.models import User
from kernel.auth.rights.roles import refuse_above
from kernel.auth.secrets import totp
from kernel.auth.signing_in import second_factor
from kernel.errors import Conflict, Forbidden, RateLimited, SecondFactorWrong
from kernel.web import IN_PERSON, Scene, command, flow, query
from kernel.wire import Request
from kernel.work import Work


class SecondFactorState(Struct, frozen=True):
    """Whether the account asks for a code, and how many recovery codes are left."""

    is_on: bool
    confirmed_at: dt.datetime | None
    recovery_codes_left: Annotated[int, Meta(examples=[10])]


class SecondFactorBegun(Struct, frozen=True):
    """What the authenticator app needs; shown this once. Draw `uri` as a QR code, or type `secret`."""

    secret: Annotated[str, Meta(examples=["GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"])]
    uri: Annotated[str, Meta(examples=["otpauth://totp/Duka:owner@mamanjeri.example?secret=GEZD…"])]


class FirstCode(Request, frozen=True):
    """The code that the app shows, which proves that it has the secret."""

    code: Annotated[str, Meta(pattern=r"\A[0-9]{6}\Z", examples=["287082"])]


class PasswordAndCode(OwnPassword, frozen=True):
    """The caller's own password, and a code of the app or a recovery code."""

    code: second_factor.Code


class RecoveryCodes(Struct, frozen=True):
    """Ten codes for the day the phone is lost, each good once; shown this once."""

    recovery_codes: Annotated[list[str], Meta(examples=[["k3vq-7mwz-2hdn-xa5t"]])]


@query("/auth/second-factor", permission=IN_PERSON)
async def get_second_factor(work: Work) -> SecondFactorState:
    """Whether one's own account has a second factor."""
    mine = sa.select(SecondFactor.confirmed_at).where(SecondFactor.user_id == work.actor.id)
    left = sa.select(sa.func.count()).where(RecoveryCode.user_id == work.actor.id, RecoveryCode.used_at.is_(None))
    confirmed_at = (await work.execute(mine)).scalar_one_or_none()
    return SecondFactorState(confirmed_at is not None, confirmed_at, (await work.execute(left)).scalar_one())


@flow("POST", "/auth/second-factor", permission=IN_PERSON, status=201, errors=(Conflict, RateLimited))
async def begin_second_factor(scene: Scene, data: OwnPassword) -> SecondFactorBegun:
    """Begin to set up a second factor: a secret for the authenticator app. It counts once it is confirmed."""
    await prove_password(scene, data.password)

    async def begin(work: Work) -> SecondFactorBegun:
        user_id = _caller(work)
        secret = await second_factor.begin(work, user_id)
        email = (await work.execute(sa.select(User.email).where(User.id == user_id))).scalar_one()
        return SecondFactorBegun(totp.as_text(secret), totp.uri(secret, email))

    return await scene.deed(begin)


@flow("POST", "/auth/second-factor/confirm", permission=IN_PERSON, errors=(SecondFactorWrong, RateLimited))
async def confirm_second_factor(scene: Scene, data: FirstCode) -> RecoveryCodes:
    """Switch the second factor on, with a code that the app shows. From now on signing in takes a code."""

    async def confirm(work: Work) -> list[str] | None:
        work.audit(subject=f"user:{work.actor.id}")
        return await second_factor.confirm(work, _caller(work), data.code)

    codes = await scene.deed(confirm)
    if codes is None:
        raise SecondFactorWrong
    return RecoveryCodes(codes)


@flow(
    "POST",
    "/auth/second-factor/recovery-codes",
    permission=IN_PERSON,
    errors=(Conflict, SecondFactorWrong, RateLimited),
)
async def renew_recovery_codes(scene: Scene, data: PasswordAndCode) -> RecoveryCodes:
    """Make ten new recovery codes; the former ones are worth nothing any more."""
    await _prove(scene, data)
    return RecoveryCodes(await scene.deed(lambda work: second_factor.renew_recovery_codes(work, _caller(work))))


@flow(
    "POST",
    "/auth/second-factor/switch-off",
    permission=IN_PERSON,
    status=204,
    errors=(Conflict, SecondFactorWrong, RateLimited),
)
async def switch_off_second_factor(scene: Scene, data: PasswordAndCode) -> None:
    """Switch one's own second factor off, with the password and a code."""
    await _prove(scene, data)

    async def switch_off(work: Work) -> None:
        work.audit(subject=f"user:{work.actor.id}")
        await second_factor.switch_off(work, _caller(work))

    await scene.deed(switch_off)


@command("DELETE", "/users/{user_id}/second-factor", permission="users.manage", errors=(Forbidden,))
async def switch_off_anothers_second_factor(work: Work, user_id: uuid.UUID) -> None:
    """Switch off the second factor of somebody who lost phone and recovery codes.

    Refused for a role above the caller's own, for people who work for another business too, and for operators: their
    sign-in opens more than this business may decide on.
    """
    row = await _row(work, user_id)
    if user_id == work.actor.id:
        raise Forbidden("Your own takes your password and a code; see /auth/second-factor/switch-off")
    await refuse_above(work, row.role_id)
    await _refuse_if_shared(work, user_id)
    operator = sa.select(User.id).where(User.id == user_id, User.is_operator.is_(True))
    if not work.actor.is_operator and (await work.execute(operator)).first() is not None:
        raise Forbidden("This is an operator of the deployment")
    since = sa.select(SecondFactor.confirmed_at).where(SecondFactor.user_id == user_id)
    was = (await work.execute(since)).scalar_one_or_none()
    await second_factor.switch_off(work, user_id)
    work.changed(SecondFactor, user_id, {"confirmed_at": was}, None)
    work.audit(subject=f"user:{user_id}")


async def _prove(scene: Scene, data: PasswordAndCode) -> None:
    await prove_password(scene, data.password)
    verdict = await scene.deed(lambda work: second_factor.check(work, _caller(work), data.code))
    if verdict is second_factor.Verdict.NOT_NEEDED:
        raise Conflict("There is no second factor to speak of")
    verdict.admit()


def _caller(work: Work) -> uuid.UUID:
    assert work.actor.id is not None  # noqa: S101 - these routes are for people
    return work.actor.id
