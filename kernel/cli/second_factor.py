"""duka second-factor: the last way in for who lost phone and recovery codes, for whoever has the server."""

from __future__ import annotations

import uuid

import click
import sqlalchemy as sa

from kernel.app import opened
from kernel.app.application import settings_of
from kernel.auth import act
from kernel.auth.models import User
from kernel.auth.signing_in.second_factor import switch_off
from kernel.cli.main import duka, run
from kernel.cli.saying import json_option, say
from kernel.settings import Settings
from kernel.work import Work


@duka.group("second-factor")
def second_factor() -> None:
    """Help somebody who lost the phone and the recovery codes."""


@second_factor.command("off")
@click.argument("email")
@json_option
def switch_off_second_factor(email: str, as_json: bool) -> None:
    """Switch off the second factor of the account EMAIL. It is audited; the password stays."""
    run(_switch_off(settings_of(), email))
    say(as_json, {"email": email, "second_factor": False}, [f"{email} signs in by password alone"])


async def _switch_off(settings: Settings, email: str) -> None:
    async with opened(settings, patient=False) as deployment:

        async def find_and_switch_off(work: Work) -> None:
            found = await work.execute(sa.select(User.id).where(User.email == email.strip().lower()))
            user_id: uuid.UUID | None = found.scalar_one_or_none()
            if user_id is None:
                raise LookupError(f"nobody has an account with the e-mail {email!r}")
            await switch_off(work, user_id)
            work.audit(subject=f"user:{user_id}")

        await act(deployment, None, find_and_switch_off, deed="command line: second-factor off")
