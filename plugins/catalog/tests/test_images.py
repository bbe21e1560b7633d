"""Product images: only a picture decoded and encoded anew is ever kept or sent (P32)."""

from __future__ import annotations

import io
import struct
import uuid
import zlib
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from kernel.testing.box import Box
from plugins.catalog.errors import ImageRefused
from plugins.catalog.services.pictures import FORMATS, MOST_BYTES, encoded_anew
from plugins.catalog.testing import a_product

PRODUCTS = "/api/v1/catalog/products"
SECRET = b"<script>alert(document.cookie)</script>"


def picture(kind: str = "JPEG", size: tuple[int, int] = (640, 480), mode: str = "RGB") -> bytes:
    """A picture that carries a script in every place its format has for words, and after its end."""
    said = io.BytesIO()
    more: dict[str, Any] = {}
    if kind == "PNG":
        words = PngInfo()
        words.add_text("Comment", SECRET.decode())
        more = {"pnginfo": words}
    elif kind == "JPEG":
        exif = Image.Exif()
        exif[0x010E] = SECRET.decode()
        more = {"exif": exif.tobytes(), "comment": SECRET}
    Image.new(mode, size, (200, 30, 60) if mode == "RGB" else None).save(said, kind, **more)
    return said.getvalue() + SECRET


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is as large as this."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 10_000_000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def carries_more(encode: Callable[[bytes, str], dict[int, bytes]]) -> list[str]:
    """The formats of which an encoder lets through what is no picture."""
    return [kind for kind in FORMATS.values() if any(b"script" in one for one in encode(picture(kind), kind).values())]


async def send(box: Box, product: uuid.UUID, content: bytes, media: str, role: str = "owner") -> httpx.Response:
    path = f"{PRODUCTS}/{product}/image"
    return await box.client(role).send("POST", path, content=content, headers={"Content-Type": media})


async def links(box: Box, product: uuid.UUID) -> dict[str, str]:
    found: dict[str, str] = (await box.client("cashier").get(f"{PRODUCTS}/{product}")).json()["image"]
    return found


@pytest.mark.parametrize("media", FORMATS)
async def test_a_product_has_its_image_in_three_sizes_encoded_anew(box: Box, media: str) -> None:
    product = await a_product(box)
    assert await links(box, product) is None
    answer = await send(box, product, picture(FORMATS[media]), media)
    assert answer.status_code == 204, answer.text
    for name, longest in (("small", 96), ("medium", 320), ("large", 640)):
        got = await box.client("cashier").get((await links(box, product))[name])
        assert (got.status_code, got.headers["content-type"]) == (200, "image/webp")
        assert got.headers["x-content-type-options"] == "nosniff"
        assert got.headers["content-disposition"].startswith("attachment")
        assert got.headers["cache-control"] == "private, max-age=31536000, immutable"
        assert got.headers["content-security-policy"].startswith("default-src 'none'")
        with Image.open(io.BytesIO(got.content)) as seen:
            assert (seen.format, max(seen.size)) == ("WEBP", longest)
            assert not seen.getexif()
        assert b"script" not in got.content


def test_nothing_but_the_picture_is_carried_over() -> None:
    assert carries_more(encoded_anew) == []


def test_the_check_catches_an_encoder_that_keeps_what_it_was_given() -> None:
    def keeping(content: bytes, kind: str) -> dict[int, bytes]:
        return encoded_anew(content, kind) | {2048: content}

    assert carries_more(keeping) == list(FORMATS.values())


REFUSED = {
    "an SVG": (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "image/png"),
    "HTML": (b"<html><script>alert(1)</script></html>", "image/jpeg"),
    "a PNG that says it is a JPEG": (picture("PNG"), "image/jpeg"),
    "a GIF that is JavaScript too": (b"GIF89a/*" + b"\0" * 40 + b"*/=1;alert(1)", "image/png"),
    "half a picture": (picture("JPEG", (1200, 900))[:2000], "image/jpeg"),
    "30,000 by 30,000 pixels": (bomb(30_000, 30_000), "image/png"),
    "a side without end": (bomb(2**31 - 1, 1), "image/png"),
    "no pixels": (bomb(0, 0), "image/png"),
    "nothing": (b"", "image/png"),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_what_is_no_whole_picture_is_refused_and_changes_nothing(box: Box, what: str) -> None:
    product = await a_product(box)
    content, media = REFUSED[what]
    answer = await send(box, product, content, media)
    assert answer.status_code == 422, f"{what}: {answer.text}"
    assert await links(box, product) is None


async def test_an_image_is_taken_up_to_its_limits_and_not_beyond(box: Box) -> None:
    product = await a_product(box)
    at_limit = picture("JPEG")
    assert (await send(box, product, at_limit + b"\0" * (MOST_BYTES - len(at_limit)), "image/jpeg")).status_code == 204
    larger = await send(box, product, at_limit + b"\0" * (MOST_BYTES - len(at_limit) + 1), "image/jpeg")
    assert (larger.status_code, larger.json()["code"]) == (413, "payload-too-large")
    for media in ("image/svg+xml", "application/json", "text/html", ""):
        refused = await send(box, product, at_limit, media)
        assert (refused.status_code, refused.json()["code"]) == (415, "unsupported-media-type")


def test_25_million_pixels_are_taken_and_one_row_more_is_not() -> None:
    assert set(encoded_anew(picture("JPEG", (5000, 5000)), "JPEG")) == {96, 320, 1024}
    with pytest.raises(ImageRefused, match="25 million"):
        encoded_anew(picture("JPEG", (5000, 5001)), "JPEG")


async def test_a_new_image_takes_the_place_of_the_old_whose_links_end(box: Box) -> None:
    product = await a_product(box)
    await send(box, product, picture(size=(64, 48)), "image/jpeg")
    old = await links(box, product)
    await send(box, product, picture(size=(48, 64)), "image/jpeg")
    new = await links(box, product)
    owner = box.client("owner")
    assert ((await owner.get(old["small"])).status_code, (await owner.get(new["small"])).status_code) == (404, 200)
    assert (await owner.send("DELETE", f"{PRODUCTS}/{product}/image")).status_code == 204
    assert (await owner.get(new["small"])).status_code == 404
    assert (await owner.send("DELETE", f"{PRODUCTS}/{product}/image")).status_code == 404


async def test_images_are_set_by_those_who_edit_and_seen_in_their_business_only(box: Box) -> None:
    product = await a_product(box)
    assert (await send(box, product, picture(), "image/jpeg", role="cashier")).status_code == 403
    await send(box, product, picture(), "image/jpeg")
    link = (await links(box, product))["small"]
    assert (await box.client(None).get(link)).status_code == 401
    stranger = box.client("owner", "sharma-kirana")
    assert (await stranger.get(link)).status_code == 404
    headers = {"Content-Type": "image/jpeg"}
    path = f"{PRODUCTS}/{product}/image"
    assert (await stranger.send("POST", path, content=picture(), headers=headers)).status_code == 404
    assert (await stranger.send("DELETE", path)).status_code == 404
    assert (await box.client("owner").get(link.replace("/96?", "/97?"))).status_code == 404
    assert (await send(box, uuid.uuid4(), picture(), "image/jpeg")).status_code == 404


def test_transparency_stays_and_a_turned_photograph_stands_upright() -> None:
    clear = io.BytesIO()
    Image.new("RGBA", (10, 10), (0, 0, 0, 0)).save(clear, "PNG")
    with Image.open(io.BytesIO(encoded_anew(clear.getvalue(), "PNG")[96])) as seen:
        assert seen.mode == "RGBA"
    turned, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 20)).save(turned, "JPEG", exif=exif.tobytes())
    with Image.open(io.BytesIO(encoded_anew(turned.getvalue(), "JPEG")[96])) as seen:
        assert seen.size == (20, 40)
