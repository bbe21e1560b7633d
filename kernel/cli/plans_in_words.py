"""A plan as it is read on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kernel.app.plans import Carried, Plan, Rehearsal
from kernel.app.plans.values import Action, PlanConsequence, PlanPart, Revision

MOST_SHOWN = 10
"""Of changed documents; the rest is counted."""


def in_words(plan: Plan) -> Iterator[str]:
    """The lines of a plan: verdict first, then + what appears, - what goes, ~ what changes, ! what is open."""
    sign = "-" if plan.action in ("disable", "uninstall") else "+"
    came_from = f" (from {plan.version_before})" if plan.version_before not in (None, plan.version) else ""
    yield f"{plan.action} {plan.title} {plan.version}{came_from}: {_verdict(plan)}"
    for one in plan.hindrances:
        yield f"  ! {one.words}" + (f" ({' → '.join(one.path)})" if len(one.path) > 1 else "")
    if plan.along:
        yield f"  as a whole, in this order: {', '.join(plan.turn)}"
    yield from (f"  {line}" for line in (revisions_in_words(plan.migrations) if plan.migrations else ()))
    for part in plan.parts:
        yield from _part(part, plan.action, sign)
    yield from (f"  = {table} is kept for the law, read-only" for table in plan.kept)
    yield from (f"  < archive {one.name}: {one.bytes:,} bytes" for one in plan.archives)
    if plan.restart:
        yield f"  ! {plan.restart}"
    for seen in plan.consequences:
        yield from _consequence(seen)
    yield f"hash {plan.hash}"


def _part(plan: PlanPart, action: Action, sign: str) -> Iterator[str]:
    """The lines of one plugin."""
    yield from (f"  ! open: {said.words}: {said.count}. {said.finish}" for said in plan.obligations)
    yield from (f"  {sign} {one.method:6} {one.path}  ({one.permission})" for one in plan.routes)
    yield from (f"  {sign} may {one.name}: {', '.join(one.roles) or 'nobody'}" for one in plan.permissions)
    for hook in plan.hooks:
        yield f"  ~ {hook.hook}: {', '.join(hook.before) or 'nobody'} → {', '.join(hook.after) or 'nobody'}"
    for job in plan.jobs:
        when, waiting = f" at {job.cron}" if job.cron else "", f", {job.waiting} wait" if job.waiting else ""
        yield f"  {sign} job {job.name}{when}{waiting}"
    fate = "go into an archive" if action == "uninstall" else "stay"
    yield from (f"  = {one.table}: {one.rows}{'+' * one.is_more} rows {fate}" for one in plan.tables)
    yield from (f"  ? {one.name}: {one.title}{' (required)' * one.is_required}" for one in plan.settings)
    yield from (f"  {sign} talks to {host}" for host in plan.hosts)
    yield from (f"  x not beside {rival}" for rival in plan.conflicts)
    if plan.catch_up:
        yield f"  + makes good: {plan.catch_up.words}: {plan.catch_up.count}"


def carried_in_words(done: Carried) -> Iterator[str]:
    """The lines of what was done to the whole deployment."""
    plan = done.plan
    if plan.is_done:
        yield f"{plan.plugin} {plan.version}: it is so already"
        return
    yield from (f"migrated {revision}" for revision in done.migrated)
    if done.uninstalled:
        made = done.uninstalled.archive
        yield f"{made.path}: {made.manifest.rows:,} rows, {made.bytes:,} bytes"
        yield f"sha256 {made.sha256}"
    if done.restored:
        yield f"{done.restored.manifest.rows:,} rows are as they were at {done.restored.manifest.made_at:%F %T} UTC"
        for table, odd in done.restored.differing.items():
            yield from (f"✗ {table}: {line}" for line in odd)
    yield f"{plan.plugin} {plan.version} is {'upgraded' if plan.action == 'upgrade' else plan.action + 'ed'}"
    if plan.restart:
        yield plan.restart


def rehearsal_in_words(done: Rehearsal) -> Iterator[str]:
    """The lines of a rehearsal: what ran, what broke, what would be priced otherwise."""
    ran = f"{len(done.migrated)} migrations ran: {', '.join(done.migrated)}" if done.migrated else "nothing was pending"
    yield f"{done.rows:,} rows copied; {ran}"
    yield from (f"  ! broken: {one}" for one in done.broken)
    for business, said in done.priced.items():
        yield business
        for seen in said:
            yield from _consequence(seen)


def revisions_in_words(revisions: Iterable[Revision]) -> Iterator[str]:
    """The lines of pending revisions: each statement with a mark where it touches a table in use."""
    none = True
    for one in revisions:
        none = False
        rest = "" if one.is_whole else " (it looks at rows first: not all of it is shown)"
        yield f"{one.revision}: {one.words}{rest}"
        for statement in one.statements:
            mark = "    " if statement.effect == "none" else "  ! "
            said = f"  [{statement.effect}: {statement.table}]" if statement.table else ""
            yield mark + statement.sql.replace("\n", "\n    ") + said
    if none:
        yield "nothing is pending"


def _consequence(seen: PlanConsequence) -> Iterator[str]:
    looked_at = f"{seen.title} ({seen.examined} of {seen.of})"
    yield f"  ~ {looked_at}: {seen.before} → {seen.after}, {len(seen.changed)} change"
    yield from (f"      {one.words}: {one.before} → {one.after}" for one in seen.changed[:MOST_SHOWN])


def _verdict(plan: Plan) -> str:
    if plan.is_done:
        return "it is so already"
    if plan.hindrances:
        return "cannot be applied"
    return "something is open" if any(part.obligations for part in plan.parts) else "ready"
