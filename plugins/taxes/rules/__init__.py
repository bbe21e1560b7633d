"""The pure rules of taxes: what is levied, by which rate, in which circumstances. No I/O, no models, no framework."""

from __future__ import annotations

from plugins.taxes.rules.adapting import buyer_in
from plugins.taxes.rules.computing import tax
from plugins.taxes.rules.dated import code_from, rate_on, spread

__all__ = ["buyer_in", "code_from", "rate_on", "spread", "tax"]
