"""Compressed answers: who can read gzip is sent it, what it says is the same, and nothing else is touched."""

from __future__ import annotations

import zlib
from typing import Any

import pytest

from kernel.testing.box import Box
from kernel.web.packing import LEAST, packed_file, packed_page, packing, takes_gzip

GZIP = {"accept-encoding": "gzip, deflate, br"}
PAGE = b"<p>rice</p>" * 100
HTML = ("Content-Type", "text/html; charset=utf-8")


@pytest.mark.parametrize(
    ("said", "takes"),
    [("gzip", True), ("br, GZIP;q=0.5", True), ("*", True), ("", False), ("br", False), ("gzip;q=0", False),
     ("gzip; q=0.0", False), ("identity", False), ("deflate, gzip ;q=1.0", True)],
)  # fmt: skip
def test_gzip_is_sent_to_those_who_say_they_read_it(said: str, takes: bool) -> None:
    assert takes_gzip({"accept-encoding": said}) is takes
    assert not takes_gzip({})


def test_a_page_is_packed_and_says_the_same() -> None:
    body, lines = packed_page(PAGE, [HTML], GZIP)
    assert ("Content-Encoding", "gzip") in lines
    assert len(body) < len(PAGE) / 5
    assert zlib.decompress(body, 31) == PAGE


@pytest.mark.parametrize(
    ("body", "lines", "headers"),
    [
        (PAGE, [HTML], {}),
        (b"x" * (LEAST - 1), [HTML], GZIP),
        (PAGE, [("Content-Type", "application/json")], GZIP),
        (PAGE, [("Content-Type", "image/svg+xml")], GZIP),
        (b"", [("Location", "/console")], GZIP),
    ],
)
def test_what_is_no_page_or_gains_nothing_goes_as_it_is(body: bytes, lines: Any, headers: Any) -> None:
    assert packed_page(body, lines, headers) == (body, lines)


def test_a_file_is_packed_once_and_told_apart_by_caches() -> None:
    packed, said = packed_file(PAGE, GZIP)
    assert zlib.decompress(packed, 31) == PAGE
    assert said == {"Vary": "Accept-Encoding", "Content-Encoding": "gzip"}
    assert packed_file(PAGE, GZIP)[0] is packed
    assert packed_file(PAGE, {}) == (PAGE, {"Vary": "Accept-Encoding"})


@pytest.mark.parametrize(
    ("kind", "status", "pieces", "is_packed"),
    [
        (b"application/json", 200, [PAGE], True),
        (b"application/json", 200, [PAGE, b"more"], False),
        (b"application/json", 200, [b"{}"], False),
        (b"application/json", 404, [PAGE], False),
        (b"text/event-stream", 200, [PAGE], False),
        (b"text/csv", 200, [PAGE], False),
    ],
)
async def test_an_answer_that_passes_to_a_page_is_packed_where_it_is_whole(
    kind: bytes, status: int, pieces: list[bytes], is_packed: bool
) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    through = packing(send, GZIP)
    length = str(sum(map(len, pieces))).encode()
    headers = [(b"content-type", kind), (b"content-length", length), (b"etag", b'"1"')]
    await through({"type": "http.response.start", "status": status, "headers": headers})
    for place, piece in enumerate(pieces, 1):
        await through({"type": "http.response.body", "body": piece, "more_body": place < len(pieces)})
    told, body = dict(sent[0]["headers"]), b"".join(one["body"] for one in sent[1:])
    assert told[b"content-length"] == str(len(body)).encode()
    assert told[b"etag"] == b'"1"'
    assert (told.get(b"content-encoding") == b"gzip") is is_packed
    assert (zlib.decompress(body, 31) if is_packed else body) == b"".join(pieces)


@pytest.mark.parametrize("database", ["sqlite"])
async def test_files_go_out_packed_and_pictures_and_the_api_as_they_are(box: Box) -> None:
    nobody, owner = box.client(None), box.client("owner")
    answers = {
        "/static/kernel/docs.css": await nobody.get("/static/kernel/docs.css"),
        "/docs": await nobody.get("/docs"),
        "/static/console/vendor/inter-latin-wght-normal.woff2": None,
        "/api/v1/roles": await owner.get("/api/v1/roles"),
    }
    for path, answer in answers.items():
        told = answer or await nobody.get(path)
        is_packed = told.headers.get("content-encoding") == "gzip"
        assert is_packed is (path in ("/static/kernel/docs.css", "/docs")), path
        assert int(told.headers["content-length"]) == told.num_bytes_downloaded
    plain = await nobody.get("/static/kernel/docs.css", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == answers["/static/kernel/docs.css"].content  # type: ignore[union-attr]
