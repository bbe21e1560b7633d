"""What the bodies of the bundled plugins' requests need and their types cannot say."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from kernel.testing.probing.bodies import (
    EXAMPLES,
    FILES,
    FILES_OF,
    INSTEAD,
    RIVALS,
    Pointer,
    alternatives,
    around,
    plain_body,
    plain_file,
    put,
    spots,
)
from plugins.reconciliation import testing as reconciliation

__all__ = ["FILES", "SPECIAL", "Pointer", "alternatives", "around", "plain_body", "plain_file", "put", "spots"]

NO_CHANGE = hashlib.sha256().hexdigest()[:32]
"""By what a change of prices is applied that changes none."""
SPECIAL: Mapping[str, Mapping[str, Any]] = {
    "sales.complete_sale": {"payments": [{"method": "cash", "amount": "99999.00"}]},
    "payments.make_refund": {"amount": "0.01", "method": "cash"},
    "payments.resolve_review": {"action": "accept"},
    "payments.note_incoming": {"method": "toy", "amount": "1.00", "reference": "432198765099"},
    **reconciliation.EXAMPLES,
    "payments.open_account": {"gateway": "toy", "config": {"secret": "a word"}},
    "discounts.add_promotion": {"kind": "percent", "value": "1"},
    "sales.pay_pending_sale": {"payments": [{"method": "cash", "amount": "99999.00"}]},
    "sales.note_till_event": {"kind": "drawer_opened"},
    "catalog.plan_base_price": {"starts_at": "2027-02-01T00:00:00Z"},
    "catalog.apply_price_edit": {"digest": NO_CHANGE},
    "catalog.edit_products": {"regardless": True, "change": {"hsn_code": "10063020"}},
    "catalog.undo_product_edit": {"regardless": True},
    "custom_fields.add_custom_field": {"choices": ["red"], "refers_to": None},
    "custom_fields.change_custom_field": {"kind": "text", "choices": [], "refers_to": None},
    "support_access.grant_support_access": {"until": "2026-11-21T18:00:00Z"},
}
"""What the types cannot say: operation → fields without which its body would be refused."""

EXAMPLES.update(SPECIAL)
FILES_OF.update(reconciliation.FILES)
RIVALS["discounts.change_promotion"] = ("product_id", "category_id")
INSTEAD["discounts.add_promotion", "goods"] = ("product_id", "category_id")
INSTEAD["discounts.add_promotion", "effect"] = ("kind", "value", "product_id", "category_id")
