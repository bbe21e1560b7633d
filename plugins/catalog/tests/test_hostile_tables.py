"""Files made to burst whoever opens them: refused in bounded memory and time, with nothing left behind."""

from __future__ import annotations

import io
import resource
import time
import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook

from kernel import sheets as kernel_sheets
from kernel.testing.box import Box
from kernel.wire import SPREADSHEET
from plugins.catalog.services import sheets

IMPORTS = "/api/v1/catalog/imports"
SHEET = "xl/worksheets/sheet1.xml"
_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def workbook(**parts: str | bytes) -> bytes:
    """A sound workbook with some of its parts replaced; `sheet` is the first sheet."""
    sound, said = io.BytesIO(), io.BytesIO()
    book = Workbook()
    book.active.append(["sku", "name", "price"])
    book.active.append(["A", "Apple", "1"])
    book.save(sound)
    with zipfile.ZipFile(sound) as old, zipfile.ZipFile(said, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, parts["sheet"] if name == SHEET and "sheet" in parts else old.read(name))
        for name in parts.keys() - {"sheet"}:
            new.writestr(name, parts[name])
    return said.getvalue()


def rows(xml: str, dimension: str = "A1") -> str:
    header = "".join(f'<c t="inlineStr"><is><t>{name}</t></is></c>' for name in ("sku", "name", "price"))
    return (
        f'<?xml version="1.0"?><worksheet {_MAIN}><dimension ref="{dimension}"/>'
        f'<sheetData><row r="1">{header}</row>{xml}</sheetData></worksheet>'
    )


CELL = '<c r="{at}" t="inlineStr"><is><t>x</t></is></c>'
ENTITIES = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "lol">'
    + "".join(f'<!ENTITY {after} "{f"&{before};" * 10}">' for before, after in zip("abcdefgh", "bcdefghi", strict=True))
    + "]>"
)
FILES = {
    "no workbook": b"PK\x03\x04 but no more",
    "an older format": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600,
    "no sheet": workbook(sheet="<nothing/>"),
    "broken XML": workbook(sheet="<worksheet><sheetData><row>"),
    "entities": workbook(sheet=ENTITIES + rows("<row r='2'><c t='str'><v>&i;</v></c></row>").partition("?>")[2]),
    "an outside entity": workbook(
        sheet='<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><worksheet>&e;</worksheet>'
    ),
    "entities in UTF-16": workbook(sheet=ENTITIES.encode("utf-16")),
    "too many parts": workbook(**{f"part{number}.xml": "<x/>" for number in range(kernel_sheets.MOST_ENTRIES + 1)}),
    "no columns": workbook(sheet=f"<worksheet {_MAIN}><sheetData/></worksheet>"),
}


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


async def refusal(box: Box, content: bytes, media: str = SPREADSHEET) -> str:
    """Send a file that must be refused; nothing is left, and it takes neither time nor memory of the server."""
    before, begun = peak(), time.monotonic()
    answer = await box.client("owner").send("POST", IMPORTS, content=content, headers={"Content-Type": media})
    assert (answer.status_code, answer.json()["code"]) == (422, "table-refused"), answer.text
    assert time.monotonic() - begun < 60
    assert peak() - before < 100_000, "kilobytes"
    assert (await box.client("owner").get(IMPORTS)).json()["items"] == []
    detail: str = answer.json()["detail"]
    return detail


async def test_a_workbook_that_is_none_or_lies_is_refused(box: Box) -> None:
    said = {what: await refusal(box, content) for what, content in FILES.items()}
    assert "entities" in said["entities"]
    assert "entities" in said["an outside entity"]
    assert "entities" in said["entities in UTF-16"]
    assert "too many parts" in said["too many parts"]


async def test_a_workbook_that_unpacks_without_end_is_refused(box: Box) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new, new.open(SHEET, "w") as part:
        for _ in range(kernel_sheets.MOST_UNPACKED // 1_000_000 + 2):
            part.write(b" " * 1_000_000)
    assert len(packed.getvalue()) < 1_000_000
    assert "too large once unpacked" in await refusal(box, packed.getvalue())


def test_the_same_files_burst_a_reader_that_does_not_look_inside_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel_sheets, "_check_packed", lambda _packed: None)
    file = tmp_path / "table"
    file.write_bytes(workbook(sheet=rows("<row r='2'><c t='inlineStr'><is><t>A</t></is></c></row>"), big=b"\0" * 10))
    assert len(list(sheets.read("xlsx", file))) == 2
    file.write_bytes(FILES["too many parts"])
    assert len(list(sheets.read("xlsx", file))) == 2, "without the check it is taken"


@pytest.mark.parametrize(
    "sheet",
    [
        rows(f"<row r='1048576'>{CELL.format(at='XFD1048576')}</row>", "A1:XFD1048576"),
        rows(f"<row r='2'>{CELL.format(at='XFD2')}</row>", "A1:XFD2"),
        rows("", "A1:XFD1048576"),
    ],
)
async def test_a_sheet_that_says_it_is_vast_is_read_as_far_as_products_go(box: Box, sheet: str) -> None:
    begun = time.monotonic()
    answer = await box.client("owner").send(
        "POST", IMPORTS, content=workbook(sheet=sheet), headers={"Content-Type": SPREADSHEET}
    )
    assert answer.status_code in (201, 422), answer.text
    assert time.monotonic() - begun < 60
    if answer.status_code == 201:
        assert answer.json()["preview"]["created"] == 0


CSV = {
    "not UTF-8": b"sku,name\nA,Caf\xe9\n",
    "an unknown column": b"sku,colour\nA,red\n",
    "a column twice": b"sku,name,sku\nA,b,c\n",
    "no SKU": b"name,price\nA,1\n",
    "an open quote": b'sku,name\n"A,b\n' + b"x" * 60_000,
    "a million columns": b"sku" + b",name" * 1_000_000,
    "a row of a million cells": b"sku,name\n" + b"," * 1_000_000,
    "an image": b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
    "zeros": b"\0" * 100_000,
}


async def test_a_text_that_is_no_table_of_products_is_refused(box: Box) -> None:
    for what, content in CSV.items():
        assert await refusal(box, content, "text/csv"), what


async def test_a_table_is_taken_up_to_its_limits_and_not_beyond(box: Box) -> None:
    most = 20 * 1024 * 1024
    line = b"x" * 8000 + b"\n"
    table = b"sku\n" + line * (most // len(line))
    table += b"y" * (most - len(table))
    client, headers = box.client("owner"), {"Content-Type": "text/csv"}
    assert (await client.send("POST", IMPORTS, content=table, headers=headers)).status_code == 201
    larger = await client.send("POST", IMPORTS, content=table + b"\n", headers=headers)
    assert (larger.status_code, larger.json()["code"]) == (413, "payload-too-large")
    for media in ("application/json", "application/vnd.ms-excel.sheet.macroEnabled.12", "text/html"):
        refused = await client.send("POST", IMPORTS, content=b"sku\n", headers={"Content-Type": media})
        assert refused.status_code == 415


def test_the_100_001st_product_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "table"
    lines = "".join(f"S{number}\n" for number in range(kernel_sheets.MOST_ROWS))
    file.write_text("sku\n" + lines)
    assert sum(1 for _ in sheets.read("csv", file)) == kernel_sheets.MOST_ROWS + 1
    file.write_text("sku\n" + lines + "ONE-MORE\n")
    with pytest.raises(kernel_sheets.SheetRefused, match="At most"):
        list(sheets.read("csv", file))
