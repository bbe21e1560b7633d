"""What a business decides about its payment links."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from kernel.wire import Line


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """What a business decides about its payment links."""

    valid_days: Annotated[int, Meta(ge=1, le=366, title="Days a link is good for, unless it says otherwise")] = 7
    thanks: Annotated[Line, Meta(title="What stands on the page of somebody who has paid")] = ""
