"""A browser without a screen, for tests of pages: cookies, forms by the words on their buttons, no scripts."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import httpx

from kernel.auth import act
from kernel.auth.businesses.making import make_user
from kernel.auth.secrets.passwords import hash_password
from kernel.testing.box import PASSWORD, Box
from kernel.work import Work


@dataclass
class Form:
    """A form of a page: where it goes, its fields as they stand, and the words on its buttons with what they send."""

    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: dict[str, tuple[str, str] | None] = field(default_factory=dict)

    @property
    def to(self) -> str:
        """The path of the API it writes to; "" for a form of the console's own."""
        return dict(self.fields).get("_to", "") if self.action == "/console/do" else ""


@dataclass
class Shown:
    """A page as it came."""

    answer: httpx.Response
    text: str
    forms: list[Form]
    links: dict[str, str]

    @property
    def status(self) -> int:
        """Its status."""
        return self.answer.status_code

    def form(self, to: str) -> Form:
        """The form that writes to a path of the API, of which `*` stands for one part."""
        pattern = re.compile(re.escape(to).replace(r"\*", "[^/]+"))
        found = [one for one in self.forms if pattern.fullmatch(one.to) or pattern.fullmatch(one.action)]
        assert found, f"no form to {to}; there are {[one.to or one.action for one in self.forms]}"
        return min(found, key=lambda one: one.action != "/console/do")


class Browser:
    """Somebody at the console. role: None for a stranger, "operator" for the deployment's operator."""

    def __init__(self, box: Box, role: str | None = "owner", shop: str = "mama-njeri") -> None:
        transport = httpx.ASGITransport(app=box.app, raise_app_exceptions=False)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://duka.test")
        token = box.client(role, shop).token
        if token:
            self.http.cookies.set("duka_access", token, path="/console")

    async def get(self, path: str, **headers: str) -> Shown:
        """A page below `/console`."""
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        return _shown(await self.http.get(f"/console{path}", headers=said))

    async def submit(
        self, form: Form, values: Mapping[str, str] | None = None, *, leave: tuple[str, ...] = ()
    ) -> Shown:
        """Fill in a form and send it as a browser without scripts does, then follow it. leave: fields not sent."""
        given = dict(values or {})
        known = {name.split(":")[0]: name for name, _ in form.fields}
        for name in given:
            assert name.split(":")[0] in known, f"the form has no field {name}; it has {sorted(known)}"
        over = {known[name.split(":")[0]]: value for name, value in given.items()}
        fields = [(name, over.get(name, value)) for name, value in form.fields if name not in leave]
        said = {"Sec-Fetch-Site": "same-origin"}
        if form.method.lower() == "get":
            return _shown(await self.http.get(form.action, params=dict(fields), headers=said))
        answer = await self.http.post(form.action, data=dict(fields), headers=said)
        while answer.is_redirect:
            answer = await self.http.get(answer.headers["location"])
        return _shown(answer)

    async def script(self, form: Form, values: Mapping[str, str] | None = None) -> Any:
        """Send a form as the console's script does; the JSON that comes back."""
        fields = {**dict(form.fields), **(values or {})}
        said = {"Accept": "application/json", "Sec-Fetch-Site": "same-origin"}
        return (await self.http.post(form.action, data=fields, headers=said)).json()


async def a_newcomer(box: Box, email: str = "njeri@first.example") -> str:
    """Make an account that runs the deployment and works in no business yet; its password is `PASSWORD`."""
    hashed = await hash_password(PASSWORD)

    async def make(work: Work) -> uuid.UUID:
        return await make_user(work, email=email, name="Njeri", password_hash=hashed, is_operator=True)

    await act(box.deployment, None, make, deed="test")
    return email


class _Reader(HTMLParser):
    """Collects forms and links."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self._open: Form | None = None
        self._select: str | None = None
        self._chosen: list[str] = []
        self._first: str | None = None
        self._text: list[str] | None = None
        self._area: str | None = None
        self._link: str | None = None
        self._button: tuple[str, str] | None = None
        self._in_button = False
        self._in_template = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        self._in_template = self._in_template or tag == "template"
        if self._in_template:
            return
        if tag == "form":
            self._open = Form(said.get("action", ""), said.get("method", "get"))
            self.forms.append(self._open)
        elif tag == "a":
            self._link, self._text = said.get("href", ""), []
        elif self._open is not None:
            self._field(tag, said, dict(attrs))

    def _field(self, tag: str, said: Mapping[str, str], attrs: Mapping[str, str | None]) -> None:
        assert self._open is not None
        if tag == "input" and said.get("name"):
            if said.get("type") not in ("checkbox", "radio") or "checked" in attrs:
                self._open.fields.append((said["name"], said.get("value", "")))
        elif tag == "select":
            self._select, self._chosen, self._first = said.get("name", ""), [], None
        elif tag == "option":
            self._first = said.get("value", "") if self._first is None else self._first
            if "selected" in attrs:
                self._chosen.append(said.get("value", ""))
        elif tag == "textarea":
            self._area, self._text = said.get("name", ""), []
        elif tag == "button":
            self._in_button, self._text = True, []
            self._button = (said["name"], said.get("value", "")) if "name" in said else None

    def handle_endtag(self, tag: str) -> None:
        words = " ".join("".join(self._text or ()).split())
        if self._in_template:
            self._in_template = tag != "template"
        elif tag == "form":
            self._open = None
        elif tag == "a" and self._link is not None:
            self.links.setdefault(words, self._link)
            self._link = self._text = None
        elif tag == "select" and self._select is not None and self._open is not None:
            chosen = self._chosen or ([self._first] if self._first is not None else [])
            self._open.fields += [(self._select, one) for one in chosen]
            self._select = None
        elif tag == "textarea" and self._area is not None and self._open is not None:
            self._open.fields.append((self._area, "".join(self._text or ())))
            self._area = self._text = None
        elif tag == "button" and self._in_button and self._open is not None:
            self._open.buttons[words] = self._button
            self._in_button, self._text = False, None

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)


def _shown(answer: httpx.Response) -> Shown:
    reader = _Reader()
    if answer.headers.get("content-type", "").startswith("text/html"):
        reader.feed(answer.text)
    return Shown(answer, answer.text, reader.forms, reader.links)
