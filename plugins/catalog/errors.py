"""What catalog refuses."""

from __future__ import annotations

from collections.abc import Sequence

from kernel.errors import AlreadyExists, Conflict, Fault, Invalid


class BarcodeInvalid(Invalid):
    """A barcode was mistyped or misread, or is none."""

    code, title = "bad-barcode", "The barcode is not valid"


class BarcodeTaken(AlreadyExists):
    """A barcode of the business names another product or pack, or stands twice in the request."""

    title = "This barcode is taken"

    def __init__(self, pointer: str, code: str) -> None:
        said = f"The barcode {code} is taken"
        super().__init__(said, faults=[Fault(pointer, "already-exists", said)])


class SkuTaken(AlreadyExists):
    """Another product of the business, or of the request, has a SKU."""

    title = "This SKU is taken"

    def __init__(self, pointer: str, sku: str) -> None:
        said = f"Another product has the SKU {sku}"
        super().__init__(said, faults=[Fault(pointer, "already-exists", said)])


class CategoryCircle(Invalid):
    """A category would stand below itself."""

    code, title = "category-circle", "A category cannot stand below itself"

    def __init__(self) -> None:
        super().__init__(faults=[Fault("/parent_id", "category-circle", self.title)])


class ImageRefused(Invalid):
    """A file is no picture of the format it says, cannot be read, or has too many pixels."""

    code, title = "image-refused", "The image is refused"


class TableRefused(Invalid):
    """A file is no table that can be read: not CSV or XLSX, too large unpacked, without the columns it needs."""

    code, title = "table-refused", "The table is refused"


class ImportNotReady(Conflict):
    """An import is applied already, or still being checked."""

    code, title = "import-not-ready", "The import cannot be applied"


class TooManyLists(Conflict):
    """A business has as many price lists as it may."""

    code, title = "too-many-price-lists", "There are too many price lists"


class PriceOver(Conflict):
    """A price that is past is history."""

    code, title = "price-over", "The price is past"


class EditChanged(Conflict):
    """A change of many prices would do something else by now than its preview said."""

    code, title = "price-edit-changed", "The prices have changed since the preview"


class ProductsMoved(Conflict):
    """Of many products to be changed some are not as they were seen; each is named where it stands in the request."""

    code, title = "products-changed", "Some products have changed meanwhile"

    def __init__(self, moved: Sequence[tuple[str, str]]) -> None:
        faults = [Fault(pointer, self.code, f"{name} has changed") for pointer, name in moved]
        super().__init__(", ".join(name for _, name in moved[:5]) + (", …" if len(moved) > 5 else ""), faults=faults)


class EditUndone(Conflict):
    """A change of many products was taken back already."""

    code, title = "edit-undone", "This change was undone already"
