"""The kernel's API through the box, on both databases."""

from __future__ import annotations

from kernel.testing.box import PASSWORD, Box


async def test_a_person_signs_in_and_sees_who_they_are(box: Box) -> None:
    signed = await box.client(None).post(
        "/api/v1/auth/login", {"username": "cashier@mama-njeri.example", "password": PASSWORD}
    )
    assert signed.status_code == 200, signed.text
    token = signed.json()["access_token"]
    me = await box.client(None).get("/api/v1/auth/me", headers={"Authorization": f"Bearer {token}"})
    assert me.json()["name"] == "Cashier"
    assert me.json()["business"]["slug"] == "mama-njeri"


async def test_a_refresh_token_that_comes_back_ends_the_sign_in(box: Box) -> None:
    nobody = box.client(None)
    credentials = {"username": "cashier@mama-njeri.example", "password": PASSWORD}
    first = (await nobody.post("/api/v1/auth/login", credentials)).json()
    second = (await nobody.post("/api/v1/auth/refresh", {"refresh_token": first["refresh_token"]})).json()
    again = await nobody.post("/api/v1/auth/refresh", {"refresh_token": first["refresh_token"]})
    assert again.status_code == 401
    dead = await nobody.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {second['access_token']}"})
    assert dead.status_code == 401


async def test_the_owner_sees_and_adds_locations(box: Box) -> None:
    owner = box.client("owner")
    made = await owner.post("/api/v1/locations", {"code": "westlands", "name": "Westlands", "kind": "storefront"})
    assert made.status_code == 201, made.text
    listed = await owner.get("/api/v1/locations", params={"limit": 2})
    assert [one["code"] for one in listed.json()["items"]] == ["kilimani", "store"]
    rest = await owner.get("/api/v1/locations", params={"limit": 2, "cursor": listed.json()["next_cursor"]})
    assert [one["code"] for one in rest.json()["items"]] == ["westlands"]


async def test_the_openapi_document_holds_what_is_enabled(box: Box) -> None:
    answer = await box.client("owner").get("/api/v1/openapi.json")
    assert answer.status_code == 200
    assert "/api/v1/locations" in answer.json()["paths"]
    anonymous = await box.client(None).get("/api/v1/openapi.json")
    others = {path for path in anonymous.json()["paths"] if not path.startswith("/api/v1/auth/")}
    assert others == {"/api/v1/payments/notices/{token}"}


async def test_a_business_needs_no_more_than_a_name_and_a_region(box: Box) -> None:
    operator = box.client("operator")
    made = [await operator.post("/api/v1/businesses", {"name": "Mama Njeri", "region": "TZ"}) for _ in range(2)]
    said = [one.json() for one in made]
    assert [one["slug"] for one in said] == ["mama-njeri-2", "mama-njeri-3"]
    assert {(one["currency"], one["zone"]) for one in said} == {("TZS", "Africa/Dar_es_Salaam")}
    nowhere = await operator.post("/api/v1/businesses", {"name": "Nowhere", "region": "ZZ"})
    assert (nowhere.status_code, nowhere.json()["errors"][0]["pointer"]) == (422, "/region")


async def test_regions_are_told_with_what_is_usual_there(box: Box) -> None:
    listed = (await box.client("owner").get("/api/v1/regions")).json()["items"]
    known = {one["code"]: one for one in listed}
    assert known["KE"] == {"code": "KE", "currency": "KES", "zone": "Africa/Nairobi", "zones": ["Africa/Nairobi"]}
    assert known["US"]["zones"][0] == known["US"]["zone"] == "America/New_York"
    assert known["BG"]["currency"] == "EUR"
    assert [one["code"] for one in listed if one["zone"] == "UTC"] == ["AC", "TA", "XK"]
