"""What catalog refuses."""

from __future__ import annotations

from kernel.errors import AlreadyExists, Fault, Invalid


class BarcodeInvalid(Invalid):
    """A barcode was mistyped or misread, or is none."""

    code, title = "bad-barcode", "The barcode is not valid"


class BarcodeTaken(AlreadyExists):
    """A barcode of the business names another product or pack, or stands twice in the request."""

    title = "This barcode is taken"

    def __init__(self, pointer: str, code: str) -> None:
        said = f"The barcode {code} is taken"
        super().__init__(said, faults=[Fault(pointer, "already-exists", said)])


class CategoryCircle(Invalid):
    """A category would stand below itself."""

    code, title = "category-circle", "A category cannot stand below itself"

    def __init__(self) -> None:
        super().__init__(faults=[Fault("/parent_id", "category-circle", self.title)])
