"""What tables say, cell by cell: of products, and of prices on a list. For the process that reads files (`sheets`)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from msgspec import UNSET, Struct, UnsetType, structs

from kernel.cells import read_cell
from kernel.money import Quantity, UnitPrice
from kernel.wire import Code, Name, Text
from plugins.catalog.rules.goods import BadBarcode, check_gtin, plain_tags, split_codes
from plugins.catalog.schemas.goods import BarcodeText, HsnCode, Kind, PackName, Tags, Unit

MOST_LETTERS: Final = 8192
_YES, _NO = frozenset({"yes", "true", "1", "y"}), frozenset({"no", "false", "0", "n"})


class Said(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A row of a table as it was checked: what it says of a product. Columns that are not there are left out."""

    sku: Code
    name: Name | UnsetType = UNSET
    description: Text | UnsetType = UNSET
    kind: Kind | UnsetType = UNSET
    unit: Unit | UnsetType = UNSET
    price: UnitPrice | UnsetType = UNSET
    wholesale_price: UnitPrice | UnsetType | None = UNSET
    cost_price: UnitPrice | UnsetType | None = UNSET
    mrp: UnitPrice | UnsetType | None = UNSET
    category: str | UnsetType | None = UNSET
    brand: Name | UnsetType | None = UNSET
    tax_class: str | UnsetType | None = UNSET
    hsn_code: HsnCode | UnsetType | None = UNSET
    min_stock: Quantity | UnsetType | None = UNSET
    track_stock: bool | UnsetType = UNSET
    allow_negative_stock: bool | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET
    tags: Tags | UnsetType = UNSET
    barcodes: list[BarcodeText] | UnsetType = UNSET
    custom: dict[str, str] | UnsetType = UNSET


COLUMNS: Final = tuple(one.name for one in structs.fields(Said) if one.name != "custom")
CUSTOM: Final = "custom."
"""What the column of a field of the shop's own begins with. Whoever knows the fields reads its cells."""
_CUSTOM: Final = re.compile(r"custom\.[a-z][a-z0-9_]{0,39}")
_FLAGS = {"track_stock": UNSET, "allow_negative_stock": False, "is_active": True}
_FORMS = {
    "sku": "in printable ASCII, such as RICE-2KG",
    "hsn_code": "in 4 to 8 digits",
    "min_stock": "such as 6",
    "tags": "with ; between, each of at most 40 letters",
}
_PRICE = "with a point and at most six decimals, such as 380.00"
_FORMS |= dict.fromkeys(("price", "wholesale_price", "cost_price", "mrp"), _PRICE)
_LIKE: Final = {name: f"Write it {_FORMS.get(name, 'on one line')}" for name in COLUMNS}
"""What is said of a text that does not have the form its column wants."""
_DEFAULTS: Final = {"description": "", "kind": UNSET, "unit": UNSET, "name": UNSET, "price": UNSET, **_FLAGS}
"""What an empty cell says, where it does not say that there is none."""


class Fault(Struct, frozen=True):
    """What is wrong with one cell. row: as the spreadsheet counts, the header being 1."""

    row: int
    column: str
    detail: str


class Header(Struct, frozen=True):
    """The first line of what was read: the columns, in order."""

    columns: list[str]


class Row(Struct, frozen=True, omit_defaults=True):
    """A row that was read: what it says, or what is wrong with it."""

    row: int
    said: Said | None = None
    faults: list[Fault] = []


def _of_product(name: str, cell: str) -> Any:
    text = read_cell(cell if name == "description" else cell.strip(" "))
    if len(text) > MOST_LETTERS:
        raise ValueError("The text is too long")
    if name == "tags":
        return plain_tags(tag for tag in text.split(";") if tag.strip())
    if name == "barcodes":
        return list(dict.fromkeys(_barcode(code) for code in split_codes(text)))
    if not text:
        return None if name not in _DEFAULTS and name != "sku" else _DEFAULTS.get(name, UNSET)
    if name == "category":
        return " > ".join(part.strip(" ") for part in text.split(">"))
    if name in _FLAGS:
        if text.lower() not in _YES | _NO:
            raise ValueError("Write yes or no")
        return text.lower() in _YES
    return text


def own_cell(cell: str) -> str:
    """A cell of a field of the shop's own, as it is written. Raises ValueError for one that is too long."""
    text = read_cell(cell.strip(" "))
    if len(text) > MOST_LETTERS:
        raise ValueError("The text is too long")
    return text


def _is_own(column: str) -> bool:
    return _CUSTOM.fullmatch(column) is not None


def _barcode(code: str) -> str:
    try:
        return check_gtin(code)
    except BadBarcode as fault:
        raise ValueError(str(fault)) from fault


class PriceSaid(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A row of a table of prices as it was checked. pack: its name. Instants without a zone are the business's."""

    sku: Code
    price: UnitPrice
    pack: PackName | None = None
    min_quantity: Quantity = "0"
    starts_at: dt.datetime | None = None
    until: dt.datetime | None = None


class PriceRow(Struct, frozen=True, omit_defaults=True):
    """A row of prices that was read: what it says, or what is wrong with it."""

    row: int
    said: PriceSaid | None = None
    faults: list[Fault] = []


PRICE_COLUMNS: Final = tuple(one.name for one in structs.fields(PriceSaid))


class Form(NamedTuple):
    """One kind of table. value: (column, cell) → what it says, ValueError where it cannot. once: what may stand once.

    needed: what every row says; the column of the first must be there. like: what is said of a text that does not have
    the form its column wants. once gives (column, key, words). more: whether a column is of a field of the shop's own.
    """

    columns: Sequence[str]
    needed: Sequence[str]
    said: type[Any]
    row: type[Any]
    value: Callable[[str, str], Any]
    like: Mapping[str, str]
    once: Callable[[Any], Iterable[tuple[str, str, str]]]
    more: Callable[[str], bool] = lambda _: False


def _once_of_product(said: Said) -> Iterable[tuple[str, str, str]]:
    yield "sku", said.sku, "this SKU"
    for code in () if said.barcodes is UNSET else said.barcodes:
        yield "barcodes", code, f"the barcode {code}"


def _once_of_price(said: PriceSaid) -> Iterable[tuple[str, str, str]]:
    yield (
        "sku",
        f"{said.sku}|{said.pack}|{said.min_quantity}|{said.starts_at}",
        "the same product, pack, quantity and time",
    )


_INSTANTS: Final = ("starts_at", "until")


def _of_price(name: str, cell: str) -> Any:
    text = read_cell(cell.strip(" "))
    if name in _INSTANTS and len(text) == len("2026-12-01"):
        return f"{text}T00:00:00"
    if text:
        return text
    return None if name == "pack" or name in _INSTANTS else UNSET


_PRICES_LIKE = {
    "sku": "Write it in printable ASCII, such as RICE-2KG",
    "price": f"Write it {_PRICE}",
    "pack": "Write the name of a pack of the product",
    "min_quantity": "Write it such as 12",
    **dict.fromkeys(_INSTANTS, "Write it such as 2026-12-01, or 2026-12-01T08:00:00"),
}
FORMS: Final = {
    "products": Form(COLUMNS, ("sku",), Said, Row, _of_product, _LIKE, _once_of_product, _is_own),
    "prices": Form(PRICE_COLUMNS, ("sku", "price"), PriceSaid, PriceRow, _of_price, _PRICES_LIKE, _once_of_price),
}
