"""What taxes speak of: the values of the rules, region packs, circumstances, and what travels."""

from __future__ import annotations

from plugins.taxes.schemas.circumstances import EXTENSIONS, Settings

__all__ = ["EXTENSIONS", "Settings"]
