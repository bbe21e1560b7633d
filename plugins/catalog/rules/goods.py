"""What catalog decides by itself: whether a barcode is sound, by which words a product is found, how fine units go."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final
from unicodedata import category, combining, normalize
from uuid import UUID

from kernel.money import MICRO, MICRO_DIGITS, round_ratio

UNIT_DECIMALS: Final[Mapping[str, int]] = MappingProxyType(
    {"piece": 0, "pack": 0, "kg": 3, "g": 3, "litre": 3, "ml": 3, "metre": 3, "hour": 3}
)
"""The units goods are sold by, and the decimals a quantity of each may have."""

LONGEST_KEY: Final = 64
MIN_LOOSE: Final = 2
_GTIN_LENGTHS: Final = frozenset({8, 12, 13, 14})
_LONGEST_BARCODE: Final = 48
_JOINERS: Final = "'\u2018\u2019\u02bc\u02bb`\u00b4"


def fits_unit(quantity: int, unit: str) -> bool:
    """Tell whether a quantity, scaled by `MICRO`, is no finer than its unit allows: 0.5 kg is, half a piece is not."""
    return fits_decimals(quantity, UNIT_DECIMALS[unit])


def fits_decimals(quantity: int, decimals: int) -> bool:
    """Tell whether a quantity, scaled by `MICRO`, has at most so many decimals."""
    step: int = 10 ** (MICRO_DIGITS - decimals)
    return quantity % step == 0


def path_below(parent_path: str | None, id_: UUID) -> str:
    """Write the path of a category: its ancestors' ids in hex from the root, then its own, parted by `/`."""
    return f"{parent_path}/{id_.hex}" if parent_path else id_.hex


def ids_on(path: str | None) -> tuple[UUID, ...]:
    """Read a path from the category itself up to the root; nothing for no path."""
    return tuple(UUID(hex=part) for part in reversed(path.split("/"))) if path else ()


def search_keys(name: str, sku: str, codes: Iterable[str] = (), tags: Iterable[str] = ()) -> frozenset[str]:
    """Tell what a product is found by: words, each code as `=code` and backwards as `~edoc`, each tag as `#tag`.

    Words are those of name and SKU. Numbers within a SKU are none, since nearly every product has one of its own: its
    code and its end find them.
    """
    keys = set(search_terms(name)) | {word for word in search_terms(sku) if not word.isdigit()}
    for code in (sku, *codes):
        keys |= {code_key(code), tail_key(code)}
    return frozenset(key[:LONGEST_KEY] for key in keys) | {tag_key(tag) for tag in tags}


def plain_tags(said: Iterable[str]) -> list[str]:
    """Write tags as they are kept and compared: without capitals and double spaces, each once, by the alphabet."""
    return sorted({plain_tag(one) for one in said})


def plain_tag(said: str) -> str:
    """Write a tag as it is kept and compared."""
    return " ".join(said.lower().split())


def tag_key(tag: str) -> str:
    """Write a tag as it is looked up."""
    return f"#{tag}"


def search_label(name: str) -> str:
    """Write a name as the order of what is found goes by it."""
    return " ".join(search_terms(name))[:LONGEST_KEY]


def joined_codes(codes: Iterable[str]) -> str:
    """Write barcodes in one cell, with | between; one within a code gets a \\ before it, and so does a \\."""
    return "|".join(code.replace("\\", "\\\\").replace("|", "\\|") for code in codes)


def split_codes(cell: str) -> list[str]:
    """Read the barcodes of a cell that `joined_codes` or a person wrote; empty ones are left out."""
    codes = [re.sub(r"\\(.)", r"\1", code).strip(" ") for code in _CODE.findall(cell)]
    return [code for code in codes if code]


def code_key(code: str) -> str:
    """Write a SKU or barcode as it is looked up: without case and punctuation, so that `mc 100` finds MC-100."""
    return f"={_joined(code)}"[:LONGEST_KEY]


def tail_key(code: str) -> str:
    """Write a SKU or barcode backwards, so that its end is looked up as a beginning."""
    return f"~{_joined(code)[::-1]}"[:LONGEST_KEY]


def letters_of(term: str) -> str | None:
    """Write the LIKE pattern of words that begin as a term does and hold its other letters in order.

    `mlk` gives m%l%k%, which Milk fits. None for a term with a digit, or of one letter: too much would fit.
    """
    if len(term) < MIN_LOOSE or any(map(str.isdigit, term)):
        return None
    return "%".join(term) + "%"


def closeness(word: str, term: str) -> tuple[int, str]:
    """Order words that fit a term loosely: those with the fewest other letters first."""
    return len(word) - len(term), word


def mrp_of(product_mrp: int | None, code_mrp: int | None, factor: int | None) -> int | None:
    """Tell the maximum retail price of what a barcode stands on: its own, or the product's times a pack's factor."""
    if code_mrp is not None or product_mrp is None or factor is None:
        return product_mrp if code_mrp is None else code_mrp
    return round_ratio(product_mrp * factor, MICRO)


class BadBarcode(ValueError):
    """The code is empty, longer than 48 characters or not printable ASCII."""

    def __init__(self, code: str) -> None:
        super().__init__(f"{code[:_LONGEST_BARCODE]!r} is no barcode: 1 to 48 printable ASCII characters")
        self.code = code


class BadCheckDigit(BadBarcode):
    """The code has the length of an EAN, UPC or GTIN, but its last digit does not fit the others."""

    def __init__(self, code: str, expected: str) -> None:
        ValueError.__init__(self, f"{code} should end in {expected}: a digit was mistyped or misread")
        self.code = code
        self.expected = expected


def check_digit(digits: str) -> str:
    """Compute the digit that follows these: weights 3, 1, 3 ... from the right, up to the next ten.

    Source: GS1 General Specifications, section 7.9. Anything but ASCII digits raises a ValueError.
    """
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError(f"{digits!r} are not digits")
    ones = sum(map(int, digits[-2::-2]))
    threes = sum(map(int, digits[::-2]))
    return str(-(ones + 3 * threes) % 10)


def check_gtin(code: str) -> str:
    """Check a barcode and give its normal form, under which it is stored and looked up.

    Eight, 12, 13 or 14 digits are an EAN-8, UPC-A, EAN-13 or GTIN-14 and must end in their check digit
    (`BadCheckDigit`). One article number written with more or fewer leading zeros has one normal form: EAN-8
    in 8 digits, UPC-A and EAN-13 in 13, a GTIN-14 of a case in 14. All other codes pass as they are, without
    the spaces around them: 1 to 48 printable ASCII characters (`BadBarcode`).
    """
    code = code.strip(" ")
    if not (0 < len(code) <= _LONGEST_BARCODE and code.isascii() and code.isprintable()):
        raise BadBarcode(code)
    if len(code) not in _GTIN_LENGTHS or not code.isdigit():
        return code
    expected = check_digit(code[:-1])
    if code[-1] != expected:
        raise BadCheckDigit(code, expected)
    return _shortest(code.rjust(14, "0"))


def search_terms(text: str) -> list[str]:
    """Split a name, SKU or question into the words by which they are matched, each once, in order.

    Words are runs of letters, digits and the vowel signs of Indian and other scripts; case, accents, width
    and apostrophes do not matter: "Café-Crème 2KG" gives cafe, creme, 2kg, and "Ng'ombe" gives ngombe. Names
    and questions pass through the same function. Of longer words the first `LONGEST_KEY` letters count.
    """
    return list(dict.fromkeys(word[:LONGEST_KEY] for word in _words(text)))


_CODE: Final = re.compile(r"(?:\\.|[^|\\])+", re.DOTALL)
_WORD_BREAK: Final = re.compile(" +")


def _words(text: str) -> list[str]:
    parts = _WORD_BREAK.split("".join(map(_folded, _unaccented(text))))
    return [normalize("NFC", part) for part in parts if part]


def _joined(code: str) -> str:
    return "".join(_words(code)) or code.casefold()


def _shortest(gtin: str) -> str:
    """Cut a 14-digit number to the form its owner prints: 8 digits after six zeros, 13 after one, or all."""
    if gtin.startswith("000000"):
        return gtin[6:]
    return gtin[1:] if gtin[0] == "0" else gtin


def _unaccented(text: str) -> str:
    """Take compatibility forms and letters apart, and drop accents above and below."""
    apart = normalize("NFKD", normalize("NFKD", text).casefold())
    return "".join(char for char in apart if not _is_accent(char))


def _is_accent(char: str) -> bool:
    # Classes 200 and up are Latin, Greek and Cyrillic accents, 10 to 36 Hebrew and Arabic points. Signs of
    # other classes (nukta, virama, voicing, Thai vowels) make another letter and stay.
    position = combining(char)
    return position >= 200 or 10 <= position <= 36


def _folded(char: str) -> str:
    """Keep what belongs to a word, drop what joins one, and turn all else into a space."""
    if char.isalnum() or category(char)[0] == "M":
        return char
    return "" if char in _JOINERS or category(char) == "Cf" else " "
