"""What clients send and are answered, and the values that rules go by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from plugins.discounts.schemas.coupons import CouponsOfCart

EXTENSIONS: Final[Mapping[str, type[Struct]]] = {"sales.cart": CouponsOfCart}
