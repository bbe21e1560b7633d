"""What taxes refuse."""

from __future__ import annotations

import datetime as dt

from kernel.errors import AlreadyExists, Conflict, Fault, Invalid


class NoRate(Invalid):
    """A taxed class has no rate in the region on the day: nobody may guess one."""

    code, title = "no-tax-rate", "The tax class has no rate on that day"

    def __init__(self, name: str, region: str, on: dt.date) -> None:
        super().__init__(f"The tax class {name} has no rate in {region} on {on}; add one under taxes")


class UnknownTaxClass(Invalid):
    """No class of this business has the id."""

    code, title = "unknown-tax-class", "There is no such tax class"


class CodeTaken(AlreadyExists):
    """Another class of the business has the code."""

    def __init__(self, code: str) -> None:
        said = f"Another tax class has the code {code}"
        super().__init__(said, faults=[Fault("/code", "already-exists", said)])


class HistoryFixed(Conflict):
    """A rate would change what was, or is, in force: history is only ever continued."""

    code, title = "tax-history", "Rates that have begun are never changed"

    def __init__(self, pointer: str, last: dt.date) -> None:
        said = f"A new rate must begin after {last}, when the last one began"
        super().__init__(said, faults=[Fault(pointer, "tax-history", said)])
