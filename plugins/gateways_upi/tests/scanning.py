"""A scanner that knows nothing of how codes are drawn here."""

from __future__ import annotations

import io
import re

import zxingcpp
from PIL import Image, ImageDraw


def scanned(picture: bytes, media_type: str) -> str:
    """What a picture of a code holds."""
    image = Image.open(io.BytesIO(picture)) if media_type == "image/png" else _painted(picture.decode())
    found = zxingcpp.read_barcode(image.convert("L"))
    assert found is not None
    assert found.format == zxingcpp.BarcodeFormat.QRCode
    text: str = found.text
    return text


def _painted(svg: str) -> Image.Image:
    """The picture that a browser would paint: horizontal strokes one square high, on white."""
    scale, side = (int(re.search(pattern, svg)[1]) for pattern in (r"scale\((\d+)\)", r'width="(\d+)"'))  # type: ignore[index]
    image = Image.new("L", (side, side), 255)
    draw = ImageDraw.Draw(image)
    stroke = re.search(r'class="qrline"[^>]* d="([^"]+)"', svg)
    assert stroke is not None
    x = y = 0.0
    for kind, one, _, other in re.findall(r"([Mmh])(-?[\d.]+)(([ -]-?[\d.]+)|)", stroke[1]):
        if kind == "M":
            x, y = float(one), float(other) - 0.5
        elif kind == "m":
            x, y = x + float(one), y + float(other)
        else:
            box = [x * scale, y * scale, (x + float(one)) * scale - 1, (y + 1) * scale - 1]
            draw.rectangle(box, fill=0)
            x += float(one)
    return image
