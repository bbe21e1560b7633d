"""The OpenAPI document of a business: whole, valid, and exactly what is enabled for it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from kernel.testing.box import Box
from kernel.web import PUBLIC, query
from kernel.web import openapi as made
from kernel.wire import ListQuery, Page
from kernel.work import Work

DOCUMENT = "/api/v1/openapi.json"


async def document(box: Box, role: str | None = "owner") -> dict[str, Any]:
    answer = await box.client(role).get(DOCUMENT)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    said: dict[str, Any] = answer.json()
    return said


def operations(said: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in said["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def inside(value: Any) -> Iterator[Any]:
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from inside(inner)


async def test_it_holds_every_route_of_what_is_on_and_nothing_else(box: Box) -> None:
    routes = [route for route in box.app.routes if not route.is_page]
    listed = {(method.upper(), path) for path, method, _ in operations(await document(box))}
    assert listed == {(route.method, route.path) for route in routes}
    await box.client("owner").post("/api/v1/plugins/probe_till/disable")
    listed = {(method.upper(), path) for path, method, _ in operations(await document(box))}
    assert listed == {(route.method, route.path) for route in routes if route.plugin != "probe_till"}
    assert "probe_till" not in json.dumps(await document(box))
    public = {(method.upper(), path) for path, method, _ in operations(await document(box, None))}
    assert public == {(route.method, route.path) for route in routes if route.permission == PUBLIC}


async def test_every_operation_says_what_it_does_needs_and_answers(box: Box) -> None:
    said = await document(box)
    wrong = []
    for path, method, operation in operations(said):
        where = f"{method} {path}"
        if not operation["summary"] or operation["summary"].endswith("."):
            wrong.append(f"{where}: summary {operation['summary']!r}")
        if not operation["x-permission"]:
            wrong.append(f"{where}: no permission")
        if "requestBody" in operation:
            content = operation["requestBody"]["content"]["application/json"]
            if not content.get("example") and content["schema"].get("required"):
                wrong.append(f"{where}: no example")
        good = [status for status in operation["responses"] if status.startswith("2")]
        if len(good) != 1:
            wrong.append(f"{where}: answers {good}")
        for status, answer in operation["responses"].items():
            if (
                status.startswith("2")
                and status != "204"
                and any("example" not in one for one in answer["content"].values())
            ):
                wrong.append(f"{where}: {status} without example")
            if status[0] in "45" and set(answer["content"]) != {"application/problem+json"}:
                wrong.append(f"{where}: {status} is no problem document")
            if not answer["description"]:
                wrong.append(f"{where}: {status} says nothing")
        wanted = {"422", "503"} | ({"401", "403"} if operation["x-permission"] != PUBLIC else set())
        if missing := wanted - operation["responses"].keys():
            wrong.append(f"{where}: does not tell {missing}")
        named = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
        if named != set(re.findall(r"{(\w+)}", path)):
            wrong.append(f"{where}: path parameters {named}")
    assert not wrong, "\n".join(wrong)


async def test_operations_have_names_of_their_own(box: Box) -> None:
    names = [operation["operationId"] for _, _, operation in operations(await document(box))]
    assert sorted(names) == sorted(set(names))
    assert all(re.fullmatch(r"[a-z_]+\.[a-z_]+", name) for name in names)


async def test_every_reference_leads_somewhere_and_every_pattern_is_portable(box: Box) -> None:
    said = await document(box)
    assert said["openapi"] == "3.1.0"
    schemas = said["components"]["schemas"]
    for value in inside(said):
        if isinstance(value, dict) and isinstance(reference := value.get("$ref"), str):
            assert reference.removeprefix("#/components/schemas/") in schemas, reference
        if isinstance(value, dict) and isinstance(pattern := value.get("pattern"), str):
            assert not re.search(r"\\[AZz]", pattern), pattern
            re.compile(pattern)
    for _, _, operation in operations(said):
        for scheme in operation["security"]:
            assert scheme.keys() <= said["components"]["securitySchemes"].keys()
        assert set(operation["tags"]) <= {tag["name"] for tag in said["tags"]}


async def test_the_examples_of_bodies_are_taken_by_the_routes(box: Box) -> None:
    """An example that is refused as malformed would teach the wrong thing."""
    owner = box.client("operator")
    for path, method, operation in operations(await document(box)):
        if "requestBody" in operation and "{" not in path:
            example = operation["requestBody"]["content"]["application/json"]["example"]
            answer = await owner.send(method.upper(), path, json=example, headers={"Idempotency-Key": path})
            if answer.status_code == 422:
                codes = {fault["code"] for fault in answer.json().get("errors", ())}
                assert codes <= {"not-found", "wrong-password"}, (path, answer.text)


async def test_an_unchanged_document_is_not_sent_again(box: Box) -> None:
    owner = box.client("owner")
    first = await owner.get(DOCUMENT)
    tag = first.headers["etag"]
    again = await owner.send("GET", DOCUMENT, headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert "Authorization" in first.headers["vary"]
    await owner.post("/api/v1/plugins/probe_till/disable")
    changed = await owner.send("GET", DOCUMENT, headers={"If-None-Match": tag})
    assert (changed.status_code, changed.headers["etag"] != tag) == (200, True)
    other = await box.client("owner", "sharma-kirana").get(DOCUMENT)
    assert other.headers["etag"] == tag


async def test_what_must_be_sent_is_marked_as_required(box: Box) -> None:
    said = await document(box)
    take = said["paths"]["/api/v1/probe_stock/take"]["post"]
    [key] = [p for p in take["parameters"] if p["name"] == "Idempotency-Key"]
    assert key["required"]
    assert "400" in take["responses"]
    [key] = [p for p in said["paths"]["/api/v1/locations"]["post"]["parameters"] if p["name"] == "Idempotency-Key"]
    assert not key["required"]
    change = said["paths"]["/api/v1/locations/{location_id}"]["patch"]
    assert {"412", "428"} <= change["responses"].keys()
    [match] = [p for p in change["parameters"] if p["name"] == "If-Match"]
    assert match["required"]


def test_two_plugins_may_call_the_things_of_their_lists_alike() -> None:
    routes = []
    for module, kind in (("acme_notes", str), ("other_notes", int)):
        note = msgspec.defstruct("NoteOut", [("said", kind)], module=f"{module}.schemas", frozen=True)

        async def list_notes(work: Work, query: ListQuery) -> Page[Any]:
            """Notes."""
            raise NotImplementedError

        list_notes.__annotations__["return"] = Page[note]  # type: ignore[valid-type]
        routes.append(query("/notes", permission=PUBLIC)(list_notes).mounted(module, f"/api/v1/{module}"))
    said = made.document(routes, "Duka", {})
    kinds = []
    for path in ("/api/v1/acme_notes/notes", "/api/v1/other_notes/notes"):
        page = said["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
        item = said["components"]["schemas"][page.rpartition("/")[2]]["properties"]["items"]["items"]["$ref"]
        kinds.append(said["components"]["schemas"][item.rpartition("/")[2]]["properties"]["said"]["type"])
    assert kinds == ["string", "integer"]
