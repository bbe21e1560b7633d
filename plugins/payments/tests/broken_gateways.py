"""Gateways with one fault each, that a hurried author may make: the case about it must fail."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from typing import Any

from msgspec import structs

from kernel.wire import Page
from plugins.payments.schemas.gateways import (
    Asked,
    Back,
    Fault,
    GatewayFact,
    GatewayFailed,
    Known,
    Line,
    Mode,
    Notice,
    Started,
    Token,
    Verdict,
)
from plugins.payments.schemas.statements import StatementLine, Window
from plugins.payments.testing.transport import ELSEWHERE
from plugins.payments.tests.able_gateway import Able, Account, facts_of


class Unsigned(Able):
    """No fault, but a provider that signs nothing: its word makes Duka ask."""

    capabilities = structs.replace(Able.capabilities, notices="hint", notices_hold_s=None, notices_tell_mode=False)

    def judge(self, config: Account, notice: Notice) -> Verdict:
        return Verdict("hint")


class BelievesEverybody(Unsigned):
    def judge(self, config: Account, notice: Notice) -> Verdict:
        return Verdict("trusted")


class LooksAtNoSignature(Able):
    def judge(self, config: Account, notice: Notice) -> Verdict:
        return Verdict("trusted")


class SignsAgain(Able):
    """Looks at the signature of what it has read, and not of the bytes that came."""

    def judge(self, config: Account, notice: Notice) -> Verdict:
        body = notice.body.strip() if notice.body.startswith(b"{") else b"{}"
        return super().judge(config, structs.replace(notice, body=body))


class KnowsOneSecret(Able):
    def judge(self, config: Account, notice: Notice) -> Verdict:
        return super().judge(structs.replace(config, former_secret=None), notice)


class ForgetsNoSecret(Able):
    """Goes on to take the secret that was replaced."""

    def judge(self, config: Account, notice: Notice) -> Verdict:
        return super().judge(structs.replace(config, former_secret="the first secret"), notice)


class HasNoClock(Able):
    def judge(self, config: Account, notice: Notice) -> Verdict:
        said = super().judge(config, notice)
        return Verdict("trusted") if said.why == "it was not signed just now" else said


class LooksAtNoMode(Able):
    def judge(self, config: Account, notice: Notice) -> Verdict:
        said = super().judge(config, notice)
        return Verdict("trusted") if said.why == "it is of another mode" else said


class TakesNewWordsForMoney(Able):
    def read(self, config: Account, notice: Notice) -> Sequence[GatewayFact]:
        facts = super().read(config, notice)
        return [structs.replace(one, kind="captured") if one.kind == "unknown" else one for one in facts]


class TakesTextsForNoAmount(Able):
    """So that whatever was paid counts for what was asked."""

    def read(self, config: Account, notice: Notice) -> Sequence[GatewayFact]:
        body = notice.json()
        said = body.get("about", {}).get("amount") if isinstance(body, dict) else None
        facts = super().read(config, notice)
        return [structs.replace(one, amount=None) if isinstance(said, str) else one for one in facts]


class CountsEvents(Able):
    """Takes the event's name for the money's number."""

    def read(self, config: Account, notice: Notice) -> Sequence[GatewayFact]:
        event = str((notice.json() or {}).get("event"))
        return [structs.replace(one, key=event, money_key=event) for one in super().read(config, notice)]


class CountsRefundsByEvent(Able):
    def read(self, config: Account, notice: Notice) -> Sequence[GatewayFact]:
        event = str((notice.json() or {}).get("event"))
        return [structs.replace(one, key=event, ids={}) for one in super().read(config, notice)]


class StumblesOverJunk(Able):
    def read(self, config: Account, notice: Notice) -> Sequence[GatewayFact]:
        return facts_of(notice.json()["about"])


class TellsPhones(Able):
    async def ask(self, line: Line, asked: Asked) -> Started:
        started = await super().ask(line, asked)
        return structs.replace(started, facts=tuple(structs.replace(one, payer=asked.phone) for one in started.facts))


class AsksTwice(Able):
    """Asks again under another name when it hears nothing."""

    async def ask(self, line: Line, asked: Asked) -> Started:
        try:
            return await super().ask(line, asked)
        except GatewayFailed as failed:
            if not failed.is_unsure:
                raise
            return await super().ask(line, structs.replace(asked, reference=f"{asked.reference[:-1]}Z"))


class IsSure(Able):
    """Takes silence for a refusal."""

    async def ask(self, line: Line, asked: Asked) -> Started:
        try:
            return await super().ask(line, asked)
        except GatewayFailed as failed:
            raise GatewayFailed(failed.fault) from failed


class SaysItOtherwise(Able):
    """Puts the time into a request, so that it is another one each time."""

    async def ask(self, line: Line, asked: Asked) -> Started:
        return await super().ask(line, structs.replace(asked, words=f"{asked.words} {line.now}"))


class TakesErrorsForAnswers(Able):
    async def call(self, line: Line, method: str, path: str, body: Any = None) -> Any:
        try:
            return await super().call(line, method, path, body)
        except GatewayFailed as failed:
            if failed.fault.code != "not now":
                raise
            return {"id": "p1"}


class TakesUnknownForFailed(Able):
    async def find(self, line: Line, known: Known) -> Sequence[GatewayFact]:
        return await super().find(line, known) or [GatewayFact(kind="failed", key="gone", fault="unknown")]


class GivesBackTwice(Able):
    """Gives back once more, as another refund, when it hears nothing."""

    async def give_back(self, line: Line, back: Back) -> Started:
        try:
            return await super().give_back(line, back)
        except GatewayFailed as failed:
            if not failed.is_unsure:
                raise
            return await super().give_back(line, structs.replace(back, id=secrets.token_hex(8)))


class KeepsItsToken(Able):
    """Takes the refusal of a token for the end."""

    async def call(self, line: Line, method: str, path: str, body: Any = None) -> Any:
        token = await line.token(lambda: self.fetch(line))
        headers = {"authorization": f"Bearer {token}"}
        heard = await line.send(method, f"https://{line.config.host}{path}", json=body, headers=headers)
        if heard.status == 401:
            raise GatewayFailed(Fault("authentication", "The provider refuses the token"))
        return heard.json()


class EverybodyFetches(Able):
    """Asks for a token of its own when one is refused."""

    async def call(self, line: Line, method: str, path: str, body: Any = None) -> Any:
        token: Token = await self.fetch(line)
        headers = {"authorization": f"Bearer {token.text}"}
        return (await line.send(method, f"https://{line.config.host}{path}", json=body, headers=headers)).json()


class NumbersItsLines(Able):
    """Names the lines of a statement by their places in it."""

    async def fetch_statement(self, line: Line, window: Window, cursor: str | None) -> Page[StatementLine]:
        page = await super().fetch_statement(line, window, cursor)
        named = [structs.replace(one, line_key=f"{cursor}/{place}") for place, one in enumerate(page.items)]
        return Page(named, page.next_cursor)


class GoesWhereItIsSent(Able):
    def hosts(self, config: Account, mode: Mode) -> Sequence[str]:
        return (config.host, ELSEWHERE)

    async def fetch(self, line: Line) -> Token:
        said = await line.send("POST", f"https://{line.config.host}/token", json={"key": line.config.key})
        if "location" in said.headers:
            await line.send("POST", said.headers["location"], json={"key": line.config.key})
        return await super().fetch(line)


class LogsItsKey(Able):
    async def fetch(self, line: Line) -> Token:
        logging.getLogger("duka.able").debug("signing in with %s", line.config.key)
        return await super().fetch(line)
