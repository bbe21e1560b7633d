"""Product images: decoded and encoded anew, so that nothing but the picture itself is kept; in three sizes.

They stand in the database: with the rows they belong to in every backup, behind row-level security, on every machine.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import Mapping
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from PIL import Image, ImageOps

from kernel.db import Prepared
from kernel.errors import NotFound
from kernel.web import Scene
from kernel.wire import Download, Upload
from kernel.work import Work
from plugins.catalog.errors import ImageRefused
from plugins.catalog.models import Picture, Product
from plugins.catalog.schemas.goods import IMAGE_SIZES
from plugins.catalog.services.common import locked
from plugins.catalog.services.products import touch

FORMATS: Final[Mapping[str, str]] = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
MOST_BYTES: Final = 5 * 1024 * 1024
MOST_PIXELS: Final = 25_000_000
_MEDIA_TYPE, _QUALITY = "image/webp", 80
_FOR_A_YEAR: Final = {"Cache-Control": "private, max-age=31536000, immutable"}
_at_once = asyncio.Semaphore(2)
"""A decoded picture takes up to 100 MB."""

_PICTURE = Prepared(
    sa.select(Picture.content).where(
        Picture.business_id == sa.bindparam("business_id", type_=sa.Uuid()),
        Picture.product_id == sa.bindparam("product_id", type_=sa.Uuid()),
        Picture.px == sa.bindparam("px", type_=sa.BigInteger()),
        Picture.digest == sa.bindparam("digest", type_=sa.Text()),
    )
)


async def set_image(scene: Scene, product_id: UUID, upload: Upload) -> None:
    """Give a product an image, in place of the one it had. Raises ImageRefused, NotFound."""
    await scene.pause()
    async with _at_once:
        made = await asyncio.to_thread(encoded_anew, upload.file.read(), FORMATS[upload.media_type])
    await scene.deed(lambda work: _store(work, product_id, made))


async def remove_image(work: Work, product_id: UUID) -> None:
    """Take a product's image away. Raises NotFound where it has none."""
    row = await locked(work, Product, product_id)
    if row.image is None:
        raise NotFound("The product has no image")
    await _forget(work, product_id)
    row.image = None
    await touch(work, row)
    work.audit(subject=f"product:{product_id}", image=None)


async def read_image(work: Work, product_id: UUID, px: int, digest: str) -> Download:
    """One size of a product's image. Raises NotFound, also for an image that has been replaced."""
    row = await work.one(_PICTURE, product_id=product_id, px=px, digest=digest)
    if row is None:
        raise NotFound
    return Download(io.BytesIO(row.content), _MEDIA_TYPE, f"{product_id}-{px}.webp", _FOR_A_YEAR)


def encoded_anew(content: bytes, expected: str) -> dict[int, bytes]:
    """A picture as WebP: longest side → bytes, smaller pictures as they are. expected: JPEG, PNG or WEBP.

    What stands beside the picture in its file (EXIF, colour profile, text, another file) is not carried over.
    Raises ImageRefused for anything but one whole picture of that format and at most `MOST_PIXELS`.
    """
    try:
        with Image.open(io.BytesIO(content), formats=[expected]) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise ImageRefused(f"At most {MOST_PIXELS // 1_000_000} million pixels")
            opened.draft("RGB", (max(IMAGE_SIZES), max(IMAGE_SIZES)))
            turned = ImageOps.exif_transpose(opened)
            plain = turned.convert("RGBA" if turned.has_transparency_data else "RGB")
    except ImageRefused:
        raise
    except Exception as fault:  # a decoder may raise anything over a file made to break it
        raise ImageRefused(f"This is no {expected} picture that can be read") from fault
    return {px: _sized(plain, px) for px in IMAGE_SIZES}


def _sized(picture: Image.Image, px: int) -> bytes:
    small = picture.copy()
    small.thumbnail((px, px), Image.Resampling.LANCZOS)
    bare = Image.frombytes(small.mode, small.size, small.tobytes())
    said = io.BytesIO()
    bare.save(said, "WEBP", quality=_QUALITY)
    return said.getvalue()


async def _store(work: Work, product_id: UUID, made: Mapping[int, bytes]) -> None:
    row = await locked(work, Product, product_id)
    digest = hashlib.sha256(made[max(made)]).hexdigest()[:32]
    work.audit(subject=f"product:{product_id}", image=digest)
    if row.image == digest:
        return
    await _forget(work, product_id)
    base = {"business_id": work.business_id, "product_id": product_id, "digest": digest}
    await work.execute(sa.insert(Picture), [base | {"px": px, "content": content} for px, content in made.items()])
    row.image = digest
    await touch(work, row)


async def _forget(work: Work, product_id: UUID) -> None:
    here = sa.and_(Picture.business_id == work.business_id, Picture.product_id == product_id)
    await work.execute(sa.delete(Picture).where(here))
