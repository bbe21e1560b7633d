"""What providers send on their own: kept byte for byte before anything is made of it."""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa
from msgspec import Struct
from prometheus_client import Counter

from kernel.db import Configured, Prepared, Rows, upsert
from kernel.errors import NotFound
from kernel.metrics import registry
from kernel.wire import RawRequest
from kernel.work import Deployment, Work
from plugins.payments.models import Account, Attempt, ProviderNotice
from plugins.payments.schemas.gateways import Gateway, Notice, NoticeAnswer, Trust, Verdict
from plugins.payments.services.accounts import installed, opened_config
from plugins.payments.services.hints import READ
from plugins.payments.services.paths import Place, read_path
from plugins.payments.services.reviews import open_review

log = logging.getLogger("duka.payments")
UNKEPT: Final = frozenset({"authorization", "cookie", "proxy-authorization"})
"""Headers that are judged, and not kept."""
AGAIN_S: Final = 10
"""A hint that is repeated makes Duka ask once in so many seconds."""
NOTICES: Final = Counter(
    "duka_payments_notices",
    "Notices of payment providers, by what they are worth.",
    ("gateway", "trust"),
    registry=registry(),
)
_A, _C = Attempt.__table__.c, Account.__table__.c
_ACCOUNT = Configured(
    sa.select(Account.__table__).where(_C.business_id == sa.bindparam("business_id"), _C.id == sa.bindparam("id"))
)
_ACCOUNT_OF = Prepared(
    sa.select(_A.account_id).where(_A.business_id == sa.bindparam("business_id"), _A.id == sa.bindparam("id"))
)


class Kept(Struct, frozen=True):
    """A notice that was kept: of which gateway, what it is worth, what the provider wants to hear."""

    gateway: str
    trust: Trust
    answer: NoticeAnswer


def is_ours(deployment: Deployment, values: Mapping[str, str]) -> bool:
    """Whether a path for notices was made by us."""
    return read_path(deployment, values.get("token", "")) is not None


async def keep_notice(work: Work, place: Place, said: RawRequest) -> Kept:
    """Keep what came at a path, and have it read; what came before, byte for byte, is kept and read once.

    Begins in a read phase. Raises NotFound where the path is worth nothing any more; nothing is kept then.
    """
    account, attempt_id = await _whose(work, place)
    gateway = installed(work.deployment).get(account.gateway)
    if gateway is None:
        raise NotFound
    config = opened_config(work.deployment, gateway, account)
    notice = Notice(
        method=said.method,
        headers=said.headers,
        query=said.query,
        body=said.body,
        address=said.address,
        at=work.now,
        mode=account.mode,
    )
    verdict = _judged(gateway, config, notice)
    notice_id = _id(account.id, attempt_id, notice, verdict.trust)
    await work.write()
    is_new = await _store(work, account, attempt_id, notice_id, notice, verdict)
    if verdict.trust != "refused":
        _have_read(work, notice_id, verdict.trust, is_new=is_new)
    elif is_new:
        words = f"A message came for {account.label} that {gateway.title} did not send: {verdict.why or 'not signed'}"
        await open_review(work, "forged", account.id, notice_id=notice_id, words=words[:500])
    return Kept(account.gateway, verdict.trust, _answer(gateway, config, notice, verdict))


async def account_row(work: Work, account_id: uuid.UUID) -> Any:
    """The row of an account, as the business's configuration has it. Raises NotFound."""
    row = await work.recall(_ACCOUNT, _first, id=account_id)
    if row is None:
        raise NotFound
    return row


def _first(rows: Rows) -> Any:
    return rows[0] if rows else None


async def _whose(work: Work, place: Place) -> tuple[Any, uuid.UUID | None]:
    """The account that a path is about, and the payment if it is about one. Raises NotFound for a path of the past."""
    if place.thing == "payment":
        row = await work.one(_ACCOUNT_OF, id=place.id)
        if row is None or row.account_id is None:
            raise NotFound
        return await account_row(work, row.account_id), place.id
    account = await account_row(work, place.id)
    if account.generation % 0x10000 != place.generation:
        raise NotFound
    return account, None


def _judged(gateway: Gateway, config: Any, notice: Notice) -> Verdict:
    try:
        return gateway.judge(config, notice)
    except Exception:  # a notice that its gateway stumbles over is kept all the same, and proves nothing by itself
        log.exception("the gateway %s could not judge a notice", gateway.name)
        return Verdict("hint", "its gateway could not judge it")


def _answer(gateway: Gateway, config: Any, notice: Notice, verdict: Verdict) -> NoticeAnswer:
    try:
        return gateway.answer(config, notice, verdict)
    except Exception:  # what came is kept, so the provider is told so
        log.exception("the gateway %s could not answer a notice", gateway.name)
        return NoticeAnswer()


def _id(account_id: uuid.UUID, attempt_id: uuid.UUID | None, notice: Notice, trust: Trust) -> uuid.UUID:
    """The same for the same notice at the same path, so that one sent again finds its row."""
    query = "&".join(f"{name}={value}" for name, value in sorted(notice.query.items()))
    said = [account_id.hex, str(attempt_id), notice.method, trust, query]
    digest = hashlib.sha256("\n".join(said).encode() + b"\n" + notice.body).digest()
    return uuid.UUID(bytes=digest[:16], version=5)


async def _store(
    work: Work, account: Any, attempt_id: uuid.UUID | None, notice_id: uuid.UUID, notice: Notice, verdict: Verdict
) -> bool:
    """Keep a notice; whether it was not kept before. Of two at once the second waits for the first."""
    fresh = {
        "business_id": work.business_id,
        "id": notice_id,
        "gateway": account.gateway,
        "account_id": account.id,
        "attempt_id": attempt_id,
        "at": work.now,
        "address": notice.address,
        "http_method": notice.method,
        "headers": {name: value for name, value in notice.headers.items() if name not in UNKEPT},
        "query": dict(notice.query),
        "body": notice.body,
        "digest": hashlib.sha256(notice.body).hexdigest(),
        "trust": verdict.trust,
        "state": "refused" if verdict.trust == "refused" else "stored",
        "note": verdict.why[:500] or None,
    }
    stored = await work.execute(upsert(work.deployment.database, ProviderNotice).values(fresh).on_conflict_do_nothing())
    return bool(stored.rowcount)


def _have_read(work: Work, notice_id: uuid.UUID, trust: Trust, *, is_new: bool) -> None:
    """Have a notice read: once; but a hint that comes again may mean something new, and is asked about again."""
    if is_new:
        work.later(READ, {"notice_id": str(notice_id)})
    elif trust == "hint":
        moment = int(work.now.timestamp()) // AGAIN_S
        work.later(READ, {"notice_id": str(notice_id)}, dedup=f"hint:{notice_id}:{moment}")
