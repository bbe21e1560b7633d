"""An id that names nothing is 404: in a path, and in a body with a pointer to where it stands; on both databases."""

from __future__ import annotations

import uuid

from kernel.testing.box import Box
from tests.promises.filling import Filling
from tests.promises.spots import id_spots

CHOSEN = frozenset({"id"})
"""Ids that a caller chooses for something new."""
EXCEPT = {
    "POST /api/v1/approvals/{approval_id}/approve-here body user_id alone": "a name beside a PIN, told as a sign-in is",
    "POST /api/v1/approvals/{approval_id}/approve-here path approval_id alone": "the second person signs in first: 401",
    "POST /api/v1/sales/sales body held_id alone": "a cart that was sold or discarded is gone: 409 tells the till so",
    "POST /api/v1/sales/sales body payments/0/claims alone": "cash comes by no provider; see the tests of the tray",
    "POST /api/v1/sales/sales/{sale_id}/payments body payments/0/claims alone": "the sale of the fillings is paid",
    "POST /api/v1/payments/refunds body register_id alone": "payments stands below sales and knows no registers",
}


async def test_an_id_of_nothing_in_a_body_is_404_and_pointed_at(box: Box) -> None:
    own = await Filling(box, "mama-njeri").fill()
    spots = [one for one in id_spots(box.app.routes) if one.place in ("body", "path") and one.shape == "alone"]
    wrong, tried = [], 0
    for spot in spots:
        if spot.name in CHOSEN or spot.chooses or str(spot) in EXCEPT:
            continue
        answer = await spot.call(str(uuid.uuid4()), own).send(box.client("owner"))
        if answer.status_code == 403:  # an operator's
            continue
        tried += 1
        said = answer.json() if answer.content else {}
        if answer.status_code != 404 or said["code"] != "not-found":
            wrong.append(f"{spot}: {answer.status_code} {answer.text[:150]}")
        elif spot.place == "body" and spot.name not in (said.get("errors") or [{"pointer": ""}])[0]["pointer"]:
            wrong.append(f"{spot}: points at {said.get('errors')}")
    assert not wrong, "\n".join(wrong)
    assert tried >= 50
