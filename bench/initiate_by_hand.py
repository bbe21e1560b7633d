"""Asking a payer for money, written by hand: the same rows and the same call, and nothing that Duka checks or plans.

What is asked for is committed as sent before the call, and what came of it after.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kernel.db import new_id

if TYPE_CHECKING:
    import asyncpg
    import httpx

    from bench.initiate import Start

TRIED = "UPDATE kernel_job SET attempts = attempts + 1, error = NULL WHERE id = $1 AND state = 'pending'"
REQUEST = """
SELECT o.id, a.amount, a.currency, a.payer_phone FROM payments_operation o JOIN payments_attempt a
ON a.business_id = o.business_id AND a.id = o.attempt_id WHERE o.business_id = $1 AND o.attempt_id = $2 FOR UPDATE
"""
SENT = """
UPDATE payments_operation SET state = 'sent', sent_at = now() WHERE business_id = $1 AND id = $2 AND state = 'planned'
"""
NAMED = """
UPDATE payments_attempt SET merchant_ref = $3, next_ask_at = now() + interval '10 seconds',
expires_at = now() + interval '2 minutes' WHERE business_id = $1 AND id = $2
"""
ACCEPTED = "UPDATE payments_operation SET state = 'accepted', ended_at = now() WHERE business_id = $1 AND id = $2"
PENDING = """
UPDATE payments_attempt SET state = 'pending', provider_ids = $3, show = $4, version = version + 1
WHERE business_id = $1 AND id = $2
"""
EVENT = """
INSERT INTO payments_event (business_id, id, attempt_id, kind, source, dedupe_key, provider_ids, at)
VALUES ($1, $2, $3, 'accepted', 'provider', $4, $5, now())
"""
WELL = "UPDATE payments_health SET failed_in_a_row = 0, last_well_at = now() WHERE business_id = $1 AND kind = 'ask'"
JOB = """
INSERT INTO kernel_job (id, business_id, plugin, name, run_at, max_attempts, created_at, attempts, state)
VALUES ($1, $2, 'payments', 'payments.ask', now() + interval '10 seconds', 8, now(), 0, 'pending')
"""
PAYLOAD = "INSERT INTO kernel_job_payload (business_id, job_id, payload) VALUES ($1, $2, $3)"
DONE = "UPDATE kernel_job SET state = 'done', ended_at = now() WHERE id = $1"
FORGET = "UPDATE kernel_job_payload SET payload = '{}' WHERE business_id = $1 AND job_id = $2"
HEADERS = {"authorization": "Bearer a token"}


async def ask_by_hand(
    connection: asyncpg.Connection[Any], client: httpx.AsyncClient, business: uuid.UUID, starts: Sequence[Start]
) -> None:
    """Ask each payer."""
    for one in starts:
        await _ask(connection, client, business, one)


async def _ask(
    connection: asyncpg.Connection[Any], client: httpx.AsyncClient, business: uuid.UUID, start: Start
) -> None:
    async with connection.transaction():
        await connection.execute(TRIED, start.job_id)
    async with connection.transaction():
        request = await connection.fetchrow(REQUEST, business, start.payment_id)
        assert request is not None
        await connection.execute(SENT, business, request["id"])
        await connection.execute(NAMED, business, start.payment_id, uuid.uuid4().hex[:12])
    said = {"id": str(start.payment_id), "amount": request["amount"], "phone": request["payer_phone"]}
    answer = await client.post("https://toy.example/payments", json=said, headers=HEADERS)
    ids = json.dumps({"payment": answer.json()["payment"]["id"]})
    async with connection.transaction():
        await connection.execute(ACCEPTED, business, request["id"])
        await connection.execute(EVENT, business, new_id(), start.payment_id, f"start:{request['id']}", ids)
        show = json.dumps({"kind": "prompt", "words": "Confirm on your phone"})
        await connection.execute(PENDING, business, start.payment_id, ids, show)
        await connection.execute(WELL, business)
        job = new_id()
        await connection.execute(JOB, job, business)
        await connection.execute(PAYLOAD, business, job, json.dumps({"payment_id": str(start.payment_id), "asks": 0}))
        await connection.execute(DONE, start.job_id)
        await connection.execute(FORGET, business, start.job_id)
