"""What a business that was filled has in the database."""

from kernel.testing.box import Box
from kernel.testing.probing import rows
from kernel.testing.probing.rows import WORDS, Rows, tables
from tests.promises.filling import MARKS

__all__ = ["WORDS", "Rows", "read_rows", "tables"]


async def read_rows(box: Box, shop: str) -> Rows:
    """Read all of a business."""
    return await rows.read_rows(box, shop, MARKS[shop])
