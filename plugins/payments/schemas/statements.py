"""What a gateway may add to its contract: the list of all money that its provider moved, to hold the books against."""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from typing import Any, Literal

from msgspec import Struct

from kernel.wire import Page
from plugins.payments.schemas.gateways import Ids, Line

LineKind = Literal["payment", "refund", "fee", "payout", "dispute", "adjustment"]
"""What a line of a statement is about: money taken, given back, kept by the provider for its service, paid out to the
bank, held back in a dispute, or put right.
"""


class StatementLine(Struct, frozen=True, kw_only=True):
    """One movement of money as the provider states it. Amounts are minor units of `currency`.

    line_key: names the line at the provider, the same in every window, page and file; of one account no two lines have
    the same. gross, net: signed as they change what the provider holds for the business: a payment is above zero; a
    refund, a payout to the bank and a lost dispute are below. fee, tax: what the provider keeps of it, above zero, the
    tax not in the fee; None: not stated. A line of kind `fee` has the gross 0. net: None where it is not stated, as
    `net_of` computes it then. money_key: the provider's number of the money, as of GatewayFact; of a refund or dispute,
    of the payment it is taken from. merchant_ref: our reference, as it was given. ids: what else the provider calls it,
    by the names that the gateway's facts use, so that a refund is found by them. payer: masked. refund_id: our id of a
    refund, where it is stated. settlement_id: the payout that it belongs to, the payout's own line included;
    settlement_ref: what the bank calls that (UTR). said_at: the time as the provider wrote it, for whoever looks at it;
    occurred_at is what counts.
    """

    line_key: str
    kind: LineKind
    gross: int
    currency: str
    occurred_at: dt.datetime
    fee: int | None = None
    tax: int | None = None
    net: int | None = None
    money_key: str | None = None
    merchant_ref: str | None = None
    payer: str | None = None
    refund_id: str | None = None
    ids: Ids = {}
    settlement_id: str | None = None
    settlement_ref: str | None = None
    said_at: str = ""
    words: str = ""

    @property
    def net_of(self) -> int:
        """What the line changes of what the provider holds: as stated, else gross less fee and tax."""
        return self.gross - (self.fee or 0) - (self.tax or 0) if self.net is None else self.net

    @property
    def is_sound(self) -> bool:
        """Whether net is gross less fee and tax, as far as they are stated."""
        return self.net is None or self.net == self.gross - (self.fee or 0) - (self.tax or 0)


class Window(Struct, frozen=True):
    """What is asked for: everything that occurred from `since` on and before `until`, both with a zone."""

    since: dt.datetime
    until: dt.datetime


class Statements(Struct, frozen=True, kw_only=True):
    """What a provider's statement is like; static.

    kinds: the lines it lists, and lists all of. zone: by whose clock its days run. reaches_back: how long ago it can
    still be asked for. every: how often it must be fetched, so that nothing falls out of reach between. complete_after:
    a payment is on it so long after it was made, at the latest. tells_fees, tells_settlements: whether lines state what
    the provider kept, and which payout to the bank they belong to.
    """

    kinds: tuple[LineKind, ...]
    zone: str
    reaches_back: dt.timedelta
    every: dt.timedelta = dt.timedelta(hours=24)
    complete_after: dt.timedelta = dt.timedelta(days=2)
    tells_fees: bool = False
    tells_settlements: bool = False


class Statemented(ABC):
    """What a Gateway is besides, whose provider states the money it moved: `class Mine(Gateway, Statemented)`."""

    statements: Statements

    def states(self, config: Any) -> bool:
        """Whether an account can be asked for statements as it is set up. config: opened."""
        return True

    @abstractmethod
    async def fetch_statement(self, line: Line, window: Window, cursor: str | None) -> Page[StatementLine]:
        """One page of what occurred in a window; cursor: `next_cursor` of the page before, None for the first.

        `next_cursor` is None on the last page. Lines may come again on another page or in another window, under the
        same key; the caller keeps each once, and asks no further where a page brings it nothing new. What cannot be
        read as money is left out, never guessed. Raises GatewayFailed.
        """
