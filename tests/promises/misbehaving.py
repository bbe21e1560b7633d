"""A throw-away plugin, installed as a stranger's, that answers every hook of a checkout and misbehaves in some.

How and where is said by two globals of its `listeners`, at first by the variables MISBEHAVES_HOW and MISBEHAVES_WHERE.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

NAME: Final = "misbehaving"
SKIPPED: Final = ("payment_methods", "price_cart", "price_facts", "price_line")
REFUSED: Final = ("payment_captured", "sale_completed", "sale_placed")
WAYS: Final = ("raises", "sleeps", "burns", "leaks", "garbage", "commits")

_METADATA = f"Metadata-Version: 2.1\nName: {NAME}\nVersion: 1.0\n"
_MANIFEST = f'''"""Misbehaves."""
from kernel.plugin import Plugin

PLUGIN = Plugin(
    name="{NAME}", version="1.0", title="Bad apple", summary="Misbehaves.", depends=("sales", "payments")
)
'''
_LISTENERS = '''
import asyncio, collections, contextlib, os, time
import msgspec
import sqlalchemy as sa
from kernel.auth import act
from kernel.db import Phase, Prepared
from kernel.errors import Conflict
from kernel.hooks import answers
from kernel.work import Work
from plugins.sales.api import AmountOff, PercentOff, SetPrice

HOW = os.environ.get("MISBEHAVES_HOW", "")
WHERE = frozenset(os.environ.get("MISBEHAVES_WHERE", "").split(","))
NAP_S = 0.5
CALLS = collections.Counter()
LEAKED = []
STOLEN = {}
TRIED = collections.Counter()


class Loose(msgspec.Struct):
    cart: int = 0


def answer(phase="promotion", **said):
    return PercentOff(phase=phase, rule="r", reason="", **said)


FAULTY = Prepared(sa.text("SELECT no_such_column FROM no_such_table"))
GARBAGE = {
    "price_facts": [5, "facts", Loose(), [Loose()], object],
    "price_line": [
        [answer(percent=float("nan"))], [answer(percent=-1)], [answer(percent=10**40)], [answer(percent="10")],
        [answer(percent=True)], [answer(phase="tax", percent=5)], [object()], "garbage", 7, {"percent": 5}, [None],
        (one for one in ()), iter([answer(percent=5)]), [answer(percent=5, lines=(1,))],
        [SetPrice(phase="promotion", rule="r", reason="", unit_price=float("-inf"))],
        [AmountOff(phase="promotion", rule="", reason="", amount=1)],
    ],
    "price_cart": [
        [answer(percent=float("nan"))], [SetPrice(phase="promotion", rule="r", reason="", unit_price=1)], "garbage",
        [answer(percent=5, lines=(99,))], [answer(percent=5, lines=(1, 1))], [AmountOff], 3.5,
    ],
    "payment_methods": [["cash"], "cash", 1, {"cash": 1}],
}


def tampers(cart):
    """Try to change what was handed over."""
    for thing in (cart, *cart.lines):
        for name in thing.__struct_fields__:
            for way in (setattr, object.__setattr__):
                with contextlib.suppress(Exception):
                    way(thing, name, 0)
    with contextlib.suppress(Exception):
        cart.lines.clear()
    with contextlib.suppress(Exception):
        del cart.lines[0]


async def steals(work):
    """Try to end the transaction or to open another, whatever it says."""
    connection = work._transaction.connection
    ways = {
        "session.commit": work.session.commit,
        "session.rollback": work.session.rollback,
        "session.close": work.session.close,
        "session.connection": work.session.connection,
        "session.invalidate": work.session.invalidate,
        "session.reset": work.session.reset,
        "commit in the dark": lambda: work.session.run_sync(lambda one: one.get_bind().commit()),
        "transaction.commit": work._transaction.commit,
        "transaction.close": work._transaction.close,
        "transaction.begin": lambda: work._transaction.begin(Phase.WRITE),
        "the connection": [connection.commit, connection.rollback][TRIED["session.commit"] % 2],
        "a statement": lambda: work.execute(sa.text("COMMIT")),
        "a veiled statement": lambda: work.execute(sa.text("-- now\\n /* and */ rollback")),
        "a prepared statement": lambda: work.fetch(Prepared(sa.text("COMMIT"))),
        "a statement of the session": lambda: work.session.execute(sa.text("END")),
        "another transaction": lambda: work.deployment.database.open(Phase.WRITE, work.business_id),
        "another deed": lambda: act(work.deployment, work.business_id, _nothing),
        "another task": lambda: asyncio.create_task(act(work.deployment, work.business_id, _nothing)),
    }
    for name, way in ways.items():
        TRIED[name] += 1
        try:
            await way()
        except Exception:
            continue
        if name not in ("the connection", "commit in the dark"):  # which do nothing where SQLAlchemy began nothing
            STOLEN.setdefault("done", []).append(name)
    for begin in (work.session.begin, work.session.begin_nested):
        try:
            async with begin():
                STOLEN.setdefault("done", []).append(begin.__name__)
        except Exception:
            continue


async def _nothing(work):
    return None


def misbehaves(hook, cart=None):
    CALLS[hook] += 1
    if hook not in WHERE:
        return None
    if HOW == "raises":
        raise KeyError(hook)
    if HOW == "sleeps":
        time.sleep(NAP_S)
    if HOW == "burns":
        until = time.perf_counter() + NAP_S
        while time.perf_counter() < until:
            pass
    if HOW == "leaks":
        LEAKED.append(bytearray(1_000_000))
    if HOW == "exits":
        raise SystemExit(3)
    if HOW == "veto":
        raise Conflict("not today")
    if HOW == "garbage":
        if cart is not None:
            tampers(cart)
        made = GARBAGE[hook]
        return made[CALLS[hook] % len(made)]
    if HOW == "commits":
        STOLEN["work"].session.sync_session.commit()
    return None


async def misbehaves_inside(hook, work, value):
    STOLEN["work"] = work
    if hook in WHERE and HOW == "sleeps":
        CALLS[hook] += 1
        await asyncio.sleep(60)
    if hook in WHERE and HOW == "cancels":
        raise asyncio.CancelledError
    if hook in WHERE and HOW in ("fails in SQL", "hides a fault in SQL", "refuses after a fault in SQL"):
        CALLS[hook] += 1
        try:
            if CALLS[hook] % 2:
                await work.execute(sa.text("SELECT no_such_column FROM no_such_table"))
            else:
                await work.fetch(FAULTY)
        except Exception as fault:
            if HOW == "fails in SQL":
                raise
            if HOW != "hides a fault in SQL":
                raise Conflict("the database said no") from fault
        return None
    if hook in WHERE and HOW == "commits plainly":
        await work._transaction.commit()
    if hook in WHERE and HOW == "commits":
        CALLS[hook] += 1
        await steals(work)
        return None
    if hook in WHERE and HOW == "garbage":
        CALLS[hook] += 1
        tampers(value)
        made = GARBAGE.get(hook, ["garbage", 0, float("nan"), object()])
        return made[CALLS[hook] % len(made)]
    return misbehaves(hook)


@answers
def payment_methods():
    return misbehaves("payment_methods")


@answers
async def price_facts(work: Work, cart):
    return await misbehaves_inside("price_facts", work, cart)


@answers
def price_line(cart, line, facts):
    with contextlib.suppress(Exception):
        facts.found = ()
    return misbehaves("price_line", cart)


@answers
def price_cart(cart, facts):
    return misbehaves("price_cart", cart)


@answers
async def payment_captured(work: Work, payment):
    return await misbehaves_inside("payment_captured", work, Wrapped(payment))


@answers
async def sale_placed(work: Work, sale):
    sale.ext["stolen"] = True
    return await misbehaves_inside("sale_placed", work, sale)


@answers
async def sale_completed(work: Work, sale):
    return await misbehaves_inside("sale_completed", work, sale)


class Wrapped:
    """A payment has no lines."""

    def __init__(self, payment):
        self.lines = (payment,)
        self.__struct_fields__ = ()
'''


def install(folder: Path) -> None:
    """Install it into a folder that is, or will be, on the path."""
    info = folder / f"{NAME}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(_METADATA)
    (info / "entry_points.txt").write_text(f"[duka.plugins]\n{NAME} = {NAME}:PLUGIN\n")
    (folder / NAME).mkdir()
    (folder / NAME / "__init__.py").write_text(_MANIFEST)
    (folder / NAME / "listeners.py").write_text(_LISTENERS)
