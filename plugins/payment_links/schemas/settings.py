"""What a business decides about its payment links."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from kernel.wire import Line, set_at


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """What is decided about payment links, also for one location."""

    valid_days: Annotated[
        int,
        Meta(ge=1, le=366, title="Days a link is good for, unless it says otherwise"),
        set_at("deployment", "business", "location"),
    ] = 7
    thanks: Annotated[
        Line,
        Meta(title="What stands on the page of somebody who has paid", examples=["Asante sana!"]),
        set_at("business", "location"),
    ] = ""
