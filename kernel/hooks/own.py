"""The kernel's own hooks: what must hold, a plugin switched on, a place added, a person erased, the demo filled."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, Protocol

from kernel.hooks.policies import spec
from kernel.plugin import CatchUp, Consequence, Obligation


class Invariant(Protocol):
    """One thing that is always true of the stored data: a query that returns the rows that break it."""

    @property
    def name(self) -> str:
        """What must hold, as a sentence."""

    @property
    def broken_rows(self) -> str:
        """SQL for both databases; every row it returns is a fault."""


class Narrowing(Protocol):
    """A filter of lists of another plugin's things: a `kernel.custom.ListFilter`."""

    @property
    def subject(self) -> str:
        """What is listed, such as `catalog.product`."""

    @property
    def name(self) -> str:
        """Behind `ext.<plugin>.` in the address of the list."""


@spec(failing="skip", budget_ms=500)
def list_filters() -> Sequence[Narrowing] | None:
    """Offer filters of lists of another plugin's things, by what stands in tables of yours.

    When: once per set of enabled plugins. Answer: `kernel.custom.ListFilter`s, each with its choices; lists take them
    as `?ext.<plugin>.<name>=<choice>` wherever they take filters by side tables.
    Errors: your filters are left out, and unknown to lists. Since: 0.3.
    Not for: fields of a side table, by which lists are filtered anyway; sorting; hiding rows from people.
    """


@spec(failing="refuse", budget_ms=5_000)
def invariants() -> Sequence[Invariant] | None:
    """Offer what must always hold of this plugin's tables.

    When: `duka check`, the tests after each race, and the nightly check collect them.
    Answer: invariants; each query runs without a business set and returns the rows that break it, at most a few.
    Errors: a query that fails is reported as broken. Since: 0.1.
    Not for: checks of one request's input; refuse those where they arise.
    """


@spec(failing="refuse", budget_ms=8_000)
async def switched_on(work: Any) -> None:
    """Set up the first data of a plugin that has just been switched on for a business.

    When: in the deed that enables the plugin or makes the business; told to that plugin alone, with `work` inside the
    business. It is told again when the plugin is enabled again, so add only what is missing.
    Answer: nothing; write through `work`. Errors: the plugin stays off. Since: 0.1.
    Not for: migrations, or slow work (declare a job).
    """


@spec(failing="skip", budget_ms=8_000)
async def started(work: Any) -> Sequence[str] | None:
    """Take over what the machine's environment says, on a deployment that serves a single business.

    When: its database has been brought up to date, by `duka init` or as a server starts; in a deed inside that
    business, told to the plugins that are on. Answer: what you did, in words without secrets; None where nothing was
    to do, as at every start but the first. Errors: what you did is undone, and said where it is started. Since: 0.2.
    Not for: first data of a business (see `switched_on`), or what other businesses of a deployment need too.
    """


@spec(failing="refuse", budget_ms=60_000)
async def resealing(work: Any) -> int | None:
    """Seal anew, under the present secret key, what your plugin keeps sealed of a business.

    When: `duka reseal`, after the deployment's secret key was changed; in a deed for each business, told to every
    installed plugin, switched on or not. Use `kernel.sealing.reseal` or `kernel.work.resealed`, holding the rows.
    Answer: how many secrets it was; None where nothing was sealed under a former key. Errors: nothing of that business
    is changed, and the command says so. Since: 0.2.
    Not for: what lapses by itself, which may be thrown away, and hashes, which cannot be made anew.
    """


@spec(failing="refuse", budget_ms=8_000)
async def catching_up(work: Any) -> CatchUp | None:
    """Say what of the past your plugin would make good if it were switched on now.

    When: a plan to enable the plugin is made; told to that plugin alone, read only. Make it good in `switched_on`, or
    in jobs that it declares.
    Answer: what and how much; None where nothing was missed. Errors: no plan is made. Since: 0.1.
    Not for: the first data of a business that has none yet.
    """


@spec(failing="refuse", budget_ms=8_000)
async def obligations(work: Any) -> Sequence[Obligation] | None:
    """Say what your plugin has begun for the business and must end.

    When: a plan to disable the plugin is made or applied, and while one waits; told to that plugin alone, read only.
    Answer: what is open; nothing, or a count of 0, where all is ended. Errors: the plugin stays on. Since: 0.1.
    Not for: data that merely exists; disabling a plugin loses none.
    """


@spec(failing="refuse", budget_ms=20_000)
async def consequences(work: Any, after: Any, hooks: frozenset[str]) -> Sequence[Consequence] | None:
    """Say what past documents would have come to with another set of plugins.

    When: a plan to enable or disable a plugin is made. `after` is the same unit of work with the set as it would be;
    `hooks` are those that the plugin answers: look only if one of yours is among them. Read only.
    Answer: what would have changed; None where it cannot. Errors: no plan is made. Since: 0.1.
    Not for: guesses about the future.
    """


@spec(failing="refuse", budget_ms=900_000)
async def rehearsed(work: Any, most: int) -> Sequence[Consequence] | None:
    """Say what past documents come to with the code and the rows that are there, beside what they came to.

    When: `duka plugin rehearse`, in a copy of the database that the pending migrations have been run on. Read only.
    Answer: the newest `most` documents, and each that differs; None where there are none. Errors: told to the operator.
    Since: 0.1.
    Not for: anything while shops sell.
    """


@spec(failing="refuse", budget_ms=60_000)
async def recorded(work: Any, recording: Any) -> None:
    """Say how a document came about, as steps of a test that makes it again (see `kernel.app.recording`).

    When: `duka plugin record`; told to each plugin by itself, those that stand on others first. Read only.
    Answer: nothing. Whose document it is sets `recording.replay`; others make what was wanted of them by
    `recording.make`, with their own builders, and want in turn what theirs stands on.
    Errors: nothing is written. Since: 0.1.
    Not for: names, numbers and words of people; write others in their place.
    """


@spec(failing="refuse", budget_ms=3_000)
async def location_added(work: Any, location_id: uuid.UUID, kind: str) -> None:
    """Make what your plugin keeps for every location.

    When: in the deed that adds a storefront or a warehouse to a business.
    Answer: nothing; write through `work`. Errors: the location is not added. Since: 0.1.
    Not for: locations that exist already when your plugin is switched on (see `switched_on`).
    """


@spec(failing="refuse", budget_ms=3_000)
async def register_known(work: Any, location_id: uuid.UUID, register_id: uuid.UUID) -> bool | None:
    """Say whether a register is yours and stands at a location.

    When: in the deed that registers a device as a till of a location and names a register.
    Answer: True if it is an active register of that location; None otherwise. If nobody answers True, the register is
    refused. Errors: the till is not registered. Since: 0.1.
    Not for: changing the register; read only.
    """


@spec(failing="refuse", budget_ms=8_000)
async def erasing_person(work: Any, kind: str, person_id: uuid.UUID) -> None:
    """Refuse to lose a person while something of yours is open, or take them out of where no column says they stand.

    When: in the deed that erases one of the business's people, before anything is changed; told to every installed
    plugin, switched on or not. What columns declare is erased by the kernel; files and the like are yours.
    Answer: nothing; raise `StillOpen` and say what is open. Errors: nobody is erased. Since: 0.1.
    Not for: rows whose columns declare what they hold (see `kernel.db.personal`).
    """


@spec(failing="refuse", budget_ms=900_000)
async def seed_demo(demo: Any) -> None:
    """Fill a demo business with this plugin's believable data.

    When: `duka seed` and the first `duka run --demo`, once per demo business, in plan order, outside any transaction.
    Answer: nothing; write through your own use cases with `async with demo.work() as work`.
    Errors: stop the seeding; the business is left out. Since: 0.1.
    Not for: data every business needs: that belongs to a migration or to your settings' defaults.
    """
