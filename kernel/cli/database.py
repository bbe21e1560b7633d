"""duka init, duka check, duka migration: the database's shape and health."""

from __future__ import annotations

import sys
import uuid

import click
import sqlalchemy as sa

from kernel.app import open_deployment, opened
from kernel.app.application import settings_of
from kernel.app.prepare import lineages, prepare
from kernel.audit import Sealer
from kernel.auth import act
from kernel.auth.businesses.making import NewBusiness, create_business, make_user, slug_of
from kernel.auth.businesses.regions import zone_of
from kernel.auth.identity import standing_of_business
from kernel.auth.models import User
from kernel.auth.secrets.passwords import hash_password
from kernel.cli.main import duka, run
from kernel.cli.saying import json_option, say
from kernel.db.personal import faults as unclassed
from kernel.db.tables import Business
from kernel.invariants import broken
from kernel.migrate import Migrator
from kernel.personal import tables_of, unreached
from kernel.settings import Settings
from kernel.work import Deployment, Work


@duka.command()
@click.option("--admin-email", help="Make this person's account.")
@click.option("--admin-password", help="Their first password, 10 characters or more.")
@click.option("--business", help="Name of a first business to make, owned by the admin.")
@click.option("--region", help="Its region, e.g. KE.")
@click.option("--currency", help="Its currency, e.g. KES.")
@json_option
def init(
    admin_email: str | None,
    admin_password: str | None,
    business: str | None,
    region: str | None,
    currency: str | None,
    as_json: bool,
) -> None:
    """Create the database or bring it up to date; optionally make a first admin and business.

    The first admin is the deployment's operator too, where nobody is: they may make businesses in the console.
    On a terminal it asks for what is missing once any of the options is given.
    """
    wanted = any((admin_email, admin_password, business, region, currency))
    if wanted and sys.stdin.isatty():
        admin_email = admin_email or click.prompt("Admin e-mail")
        admin_password = admin_password or click.prompt("Password", hide_input=True, confirmation_prompt=True)
        if business:
            region = region or click.prompt("Region (two letters, e.g. KE)")
            currency = currency or click.prompt("Currency (three letters, e.g. KES)")
    if wanted and not (admin_email and admin_password):
        raise click.UsageError("give --admin-email and --admin-password")
    if business and not (region and currency):
        raise click.UsageError("--business needs --region and --currency")
    said = run(_init(settings_of(), admin_email, admin_password, business, region, currency))
    say(as_json, {"done": said}, said)


@duka.command()
@json_option
def check(as_json: bool) -> None:
    """Check configuration, database, migrations and invariants; exit code 1 if anything is wrong.

    Warns of trails that nobody seals: they are whole, but who alters them now is not found out.
    """
    faults, warnings = run(_check(settings_of()))
    lines = [f"! {warning}" for warning in warnings]
    lines += [f"✗ {fault}" for fault in faults] or ["✓ configuration, database, migrations and invariants are fine"]
    say(as_json, {"is_fine": not faults, "faults": faults, "warnings": warnings}, lines)
    if faults:
        sys.exit(1)


@duka.group()
def migration() -> None:
    """For developers of plugins: write the revisions of a lineage."""


@migration.command("new")
@click.argument("plugin")
@click.argument("words")
def new_revision(plugin: str, words: str) -> None:
    """Write PLUGIN's next revision from what its models have and the database lacks; WORDS say what it does."""
    run(_new_revision(settings_of(), plugin, words))


async def _init(
    settings: Settings,
    email: str | None,
    password: str | None,
    business: str | None,
    region: str | None,
    currency: str | None,
) -> list[str]:
    async with opened(settings) as deployment:
        said = await prepare(deployment)
        if email and password:
            user_id = await _admin(deployment, email, password)
            if business and region and currency:
                await _first_business(deployment, user_id, business, region, currency)
                said.append(f"{business} is ready; sign in as {email}")
            else:
                said.append(f"Run duka run, and sign in as {email}: the console leads through the rest")
        said += await prepare(deployment)
    return said


async def _admin(deployment: Deployment, email: str, password: str) -> uuid.UUID:
    hashed = await hash_password(password)

    async def make(work: Work) -> uuid.UUID:
        found = await work.execute(sa.select(User.id).where(User.email == email.lower()))
        known: uuid.UUID | None = found.scalar_one_or_none()
        if known is not None:
            return known
        name, rules = email.partition("@")[0], await _has_no_operator(work)
        return await make_user(work, email=email, name=name, password_hash=hashed, is_operator=rules)

    return await act(deployment, None, make, deed="duka init")


async def _has_no_operator(work: Work) -> bool:
    """Whether nobody is, and nobody else is named to be."""
    if work.deployment.settings.platform_owner_email:
        return False  # who is named becomes it as the deployment is prepared
    found = await work.execute(sa.select(User.id).where(User.is_operator.is_(True)).limit(1))
    return found.first() is None


async def _first_business(deployment: Deployment, owner: uuid.UUID, name: str, region: str, currency: str) -> None:
    slug = slug_of(name)
    new = NewBusiness(slug, name, region, currency, zone_of(region))
    everything = [one.name for one in deployment.registry.in_order()]

    async def make(work: Work) -> None:
        found = await work.execute(sa.select(Business.id).where(Business.slug == slug))
        if found.scalar_one_or_none() is None:
            await create_business(work, new, owner_id=owner, plugins=everything)

    await act(deployment, None, make, deed="duka init")


async def _check(settings: Settings) -> tuple[list[str], list[str]]:
    """Faults and warnings."""
    async with opened(settings) as deployment:
        aside = [one for one in deployment.registry.set_aside.values() if one.state != "removed"]
        faults = [f"plugin {one.name} was set aside: {one.reason}" for one in aside]
        known = tables_of(deployment.registry)
        faults += [f"personal data: {one}" for one in (*unclassed(known), *unreached(known))]
        migrator = Migrator(settings.migrations_database_url or settings.url, lineages(deployment.registry), "")
        if pending := await migrator.pending():
            return [*faults, f"migrations that have not run: {', '.join(pending)}; run duka init"], []
        faults += [f"schema: {one}" for one in await migrator.differences()]
        faults += await broken(deployment)
        late = await Sealer(deployment, standing_of_business).late()
    if not late:
        return faults, []
    minutes = int(max(late.values()).total_seconds() // 60)
    what = f"audit trails without a seal for up to {minutes} minutes: {len(late)}"
    return faults, [f"{what}; run a process with DUKA_JOBS=embedded, or duka audit seal"]


async def _new_revision(settings: Settings, plugin: str, words: str) -> None:
    deployment = open_deployment(settings, patient=True)
    migrator = Migrator(settings.url, lineages(deployment.registry), "")
    path = await migrator.write_revision(plugin, words)
    click.echo(str(path) if path else "Nothing to write: the database has all that the models have.")
    await deployment.database.dispose()
