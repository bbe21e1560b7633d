"""PINs: four to eight digits by which a person takes over a registered till, or approves, for one business.

So few digits are soon tried through, therefore tries are counted per till and person, and per till; away from tills per
person who asks and per person who approves. What is stored is an argon2id hash, and sealed, so that without the
deployment's key there is not even a hash to try them on.
"""

from __future__ import annotations

import datetime as dt
import uuid
from itertools import pairwise

import sqlalchemy as sa

from kernel.auth.credentials import Pin, Till
from kernel.auth.limits import count_guess, count_try, forget_tries, give_back
from kernel.auth.models import Limit, Membership, SignIn, User
from kernel.auth.secrets import vault
from kernel.auth.secrets.passwords import hash_password, password_matches
from kernel.auth.telling import tell_of_change
from kernel.errors import Invalid
from kernel.work import Work

TRIES, TRIES_A_DAY, TRIES_A_TILL = 5, 20, 60
WRONG, WRONG_A_DAY, WRONG_OF_ALL = 3, 10, 6
"""Away from a till: of one colleague's PIN by one person in a quarter of an hour, of it by all in a day; of all
colleagues' by one person in a quarter of an hour."""
_DAY = dt.timedelta(days=1)
PURPOSE = "PIN"
_PADDING = "a PIN of Duka: "
"""Hashed before the digits, so that a PIN's hash is of a text as long as passwords are."""
_POPULAR = frozenset({"2580", "0852", "1397", "1379", "6969", "1004", "5683", "147258", "159753", "112233", "121314"})


def refuse_weak(pin: str) -> None:
    """Raise Invalid for a PIN that is guessed first: repeated, counted up or down, a year, a pattern of the keypad."""
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(pin)}
    half = len(pin) // 2
    is_year = len(pin) == 4 and pin[:2] in ("19", "20")
    is_doubled = len(pin) % 2 == 0 and (pin[:half] == pin[half:] or pin[::2] == pin[1::2])
    if steps in ({0}, {1}, {9}) or is_doubled or is_year or pin in _POPULAR:
        raise Invalid.at("/pin", "This PIN is among the first that are guessed; choose another", code="weak")


async def hash_pin(pin: str) -> str:
    """The hash to store, worked out off the event loop. Raises Invalid for a weak PIN."""
    refuse_weak(pin)
    return await hash_password(_PADDING + pin)


async def pin_matches(stored: str | None, pin: str) -> bool:
    """Whether a PIN is the stored one; takes as long when there is none."""
    return await password_matches(stored, _PADDING + pin)


async def set_pin(work: Work, user_id: uuid.UUID, hashed: str) -> None:
    """Set or change a person's PIN here; their sign-ins by the former one end."""
    await _end_pin(work, user_id)
    sealed = vault.seal(work.deployment, PURPOSE, _owner(work, user_id), hashed)
    row = {"business_id": work.business_id, "user_id": user_id, "sealed": sealed, "changed_at": work.now}
    await work.execute(sa.insert(Pin).values(row))
    tell_of_change(work, user_id, "pin_changed")


async def forget_pin(work: Work, user_id: uuid.UUID) -> None:
    """Take a person's PIN here away, and end their sign-ins by it; they are told if they had one."""
    if await _end_pin(work, user_id):
        tell_of_change(work, user_id, "pin_removed")


async def _end_pin(work: Work, user_id: uuid.UUID) -> bool:
    gone = await work.execute(sa.delete(Pin).where(Pin.business_id == work.business_id, Pin.user_id == user_id))
    at_tills = sa.and_(SignIn.till_business_id == work.business_id, SignIn.user_id == user_id)
    await work.execute(sa.update(SignIn).where(at_tills, SignIn.revoked_at.is_(None)).values(revoked_at=work.now))
    return bool(gone.rowcount)


async def try_pin(work: Work, till_id: uuid.UUID, user_id: uuid.UUID) -> str | None:
    """Count a try of a person's PIN at a till; returns the hash to compare with, None for nobody who has a PIN there.

    The deed must commit before the PIN is compared. Raises RateLimited: for this person at this till, or for the till;
    other tills, and passwords, are not touched by it.
    """
    for key, most, window in _limits(till_id, user_id):
        await count_try(work, key, most, window)
    found = await work.execute(
        sa.select(Pin.sealed, Membership.locations, Till.location_id)
        .join(Till, sa.and_(Till.business_id == Pin.business_id, Till.id == till_id))
        .join(Membership, sa.and_(Membership.business_id == Pin.business_id, Membership.user_id == Pin.user_id))
        .join(User, User.id == Pin.user_id)
        .where(
            Pin.business_id == work.business_id,
            Pin.user_id == user_id,
            Membership.is_active.is_(True),
            User.is_active.is_(True),
        )
    )
    row = found.one_or_none()
    if row is None or not works_at(row.locations, row.location_id):
        return None
    return vault.unseal(work.deployment, PURPOSE, _owner(work, user_id), row.sealed)


def works_at(locations: list[str] | None, location_id: uuid.UUID) -> bool:
    """Whether somebody tied to locations, None for all, takes turns at a till that stands at one."""
    return locations is None or str(location_id) in locations


async def forget_pin_tries(work: Work, till_id: uuid.UUID, user_id: uuid.UUID) -> None:
    """After a right PIN: the person starts afresh, and the till counts one try less."""
    *of_person, (of_till, _most, _window) = _limits(till_id, user_id)
    for key, _most, _window in of_person:
        await forget_tries(work, key)
    taken_back = sa.update(Limit).where(Limit.key == of_till, Limit.count > 0).values(count=Limit.count - 1)
    await work.execute(taken_back)


async def try_colleagues_pin(work: Work, user_id: uuid.UUID) -> str | None:
    """Count a try of a colleague's PIN in the sign-in of whoever asks; returns the hash to compare with.

    The deed must commit before the PIN is compared. No device stands for anything here, so that signing in anew, or in
    many places, gives no more tries. Raises RateLimited.
    """
    for key, most, window in _limits_of_colleague(work, user_id):
        await count_guess(work, key, most, window)
    mine = sa.and_(Pin.business_id == work.business_id, Pin.user_id == user_id)
    stored = (await work.execute(sa.select(Pin.sealed).where(mine))).scalar_one_or_none()
    return None if stored is None else vault.unseal(work.deployment, PURPOSE, _owner(work, user_id), stored)


async def take_back_colleagues_try(work: Work, user_id: uuid.UUID) -> None:
    """After a right PIN: it was no guess. Wrong ones of before stay counted."""
    for key, _most, _window in _limits_of_colleague(work, user_id):
        await give_back(work, key)


def _limits_of_colleague(work: Work, user_id: uuid.UUID) -> list[tuple[str, int, dt.timedelta]]:
    quarter, here, asks = dt.timedelta(minutes=15), work.business_id, work.actor.id
    return [
        (f"pin-asked:{here}:{asks}:{user_id}", WRONG, quarter),
        (f"pin-asking:{here}:{asks}", WRONG_OF_ALL, quarter),
        (f"pin-asked-day:{here}:{user_id}", WRONG_A_DAY, _DAY),
    ]


def _limits(till_id: uuid.UUID, user_id: uuid.UUID) -> list[tuple[str, int, dt.timedelta]]:
    quarter = dt.timedelta(minutes=15)
    return [
        (f"pin:{till_id}:{user_id}", TRIES, quarter),
        (f"pin-day:{till_id}:{user_id}", TRIES_A_DAY, _DAY),
        (f"pin-till:{till_id}", TRIES_A_TILL, quarter),
    ]


def _owner(work: Work, user_id: uuid.UUID) -> str:
    return f"{work.business_id} {user_id}"
