"""The prober of promise P20: another business's ids in every place an id may stand, compared with ids of nothing."""

from __future__ import annotations

import itertools
import json
import random
import re
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

import httpx

from kernel.plugin import ROLES
from kernel.testing.box import Box
from kernel.testing.probing.rows import Rows, read_rows
from kernel.testing.probing.spots import Call, Spot

MINE, THEIRS = "mama-njeri", "sharma-kirana"
EVERYBODY: tuple[str | None, ...] = (*ROLES, "operator", None)
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_NUMBER = re.compile(r"\d{6,}")
_TOKEN = re.compile(r"\bt[0-9a-f]{7}\b", re.IGNORECASE)
_REQUEST_ID = re.compile(r'"request_id":"[0-9a-f]{32}"')
_IGNORED = frozenset({"x-request-id", "date", "content-length"})

Told = tuple[int, str, str]
"""Status, headers and body, without what differs between any two answers."""

LOOKS_AFTER = 8
"""Operations between two looks at the rows of the other business."""


class Prober:
    """Probes one box: one's own business asks, theirs must stay unseen and untouched.

    mark: a word that stands in every text of theirs, where there is one.
    """

    def __init__(
        self, box: Box, own: Mapping[str, str], mine: Rows, theirs: Rows, *, mark: str = "", seed: int = 20
    ) -> None:
        self.box, self.own, self.mine, self.theirs, self.mark = box, own, mine, theirs, mark
        self.random = random.Random(seed)
        self.sent, self.probes = 0, 0
        self.findings: list[str] = []
        self.accepted: set[str] = set()
        self.unprobed: set[str] = set()
        self._spent: set[tuple[str, str]] = set()
        self._foreign = theirs.every_id - mine.every_id

    async def probe(self, spots: Iterable[Spot], roles: Iterable[str | None], most: int = 1) -> None:
        """Probe spots as roles with at most so many foreign values each; nothing of theirs has changed by it.

        Their rows are read after every few operations: reading them all is what takes the time.
        """
        roles, tried = list(roles), list[str]()
        for operation, here in itertools.groupby(spots, key=lambda spot: spot.route.operation):
            tried.append(operation)
            for spot in here:
                values = await self.foreign(spot)
                if not values:
                    self.unprobed.add(str(spot))
                for role in roles if values else ():
                    await self._compare(spot, role, values, most)
            if len(tried) == LOOKS_AFTER:
                await self.look_for_changes(" or ".join(tried))
                tried.clear()
        if tried:
            await self.look_for_changes(" or ".join(tried))

    async def foreign(self, spot: Spot) -> list[str]:
        """What of theirs fits a spot: by name, by the list it belongs to; then, for ids, everything else."""
        listed = await self._listed(spot)
        if spot.is_word:
            by_barcode = spot.name == "code" and "barcode" in f"{spot.route.path}{spot.pointer}"
            fitting = listed or self.theirs.words.get("barcode" if by_barcode else spot.name, [])
            return [one for one in dict.fromkeys(fitting) if one not in itertools.chain(*self.mine.words.values())]
        fitting = [*self.theirs.ids.get(spot.name.removesuffix("_id"), ()), *listed]
        others = sorted(self._foreign - set(fitting))
        self.random.shuffle(others)
        return [one for one in dict.fromkeys((*fitting, *others)) if one in self._foreign]

    async def look_for_changes(self, what: str) -> None:
        """Compare their rows with what they were."""
        after = await read_rows(self.box, THEIRS, self.mark)
        if changed := self.theirs.changed(after):
            self.findings.append(f"{what} changed {', '.join(changed)} of the other business")
            self.theirs = after

    async def told(self, spot: Spot, role: str | None, value: str) -> Told:
        """What somebody is told who puts a value at a spot."""
        call = spot.call(value, self.own)
        self.sent += 1
        answer = await call.send(self.box.client(role, MINE))
        if spot.is_word and spot.place == "body" and answer.status_code < 300:
            return answer.status_code, "", ""  # it bears a word of theirs now, and may: the word is free here
        told = self._without_chance(answer, value, call)
        if self.mark and self.mark in told[2]:
            self.findings.append(f"{spot} as {role} shows a word of theirs: {told[2][:300]}")
        return told

    async def _compare(self, spot: Spot, role: str | None, values: list[str], most: int) -> None:
        nothing = str(uuid.uuid4()) if not spot.is_word else self._scrambled(values[0])
        expected = await self.told(spot, role, nothing)
        most = min(most, 3) if expected[0] in (401, 403) else most
        takes_up = spot.chooses or (spot.is_word and spot.place == "body")
        for value in [one for one in values if not self._is_spent(spot, one)][:most]:
            told = await self.told(spot, role, value)
            self.probes += 1
            if told[0] < 300:
                self.accepted.add(str(spot))
                if takes_up:  # from now on it is one's own as well
                    self._spent.add((spot.collection, value))
            if told != expected:
                self.findings.append(f"{spot} as {role}: {value} → {told}, but nothing → {expected}")

    def _is_spent(self, spot: Spot, value: str) -> bool:
        """Whether a value was taken up already, in the collection itself or by a door beside it."""
        at = spot.collection or ""
        taken = [there or "" for there, one in self._spent if one == value]
        return any(at.startswith(there) or there.startswith(at) for there in taken)

    async def _listed(self, spot: Spot) -> list[str]:
        """Ids or words in the list that a thing belongs to, as its owner sees them."""
        name = spot.name if spot.is_word else "id"
        for route in self.box.app.routes:
            if spot.collection and route.path == spot.collection and (route.method, route.kind) == ("GET", "query"):
                answer = await self.box.client("owner", THEIRS).get(route.path)
                said = answer.json() if answer.headers["content-type"] == "application/json" else None
                items: list[dict[str, Any]] = said.get("items", []) if isinstance(said, dict) else []
                return [one[name] for one in items if isinstance(one.get(name), str)]
        return []

    def _without_chance(self, answer: httpx.Response, value: str, call: Call) -> Told:
        text = _REQUEST_ID.sub("", answer.text).replace(value, "<value>")
        headers = {
            name: said.replace(value, "<value>") for name, said in answer.headers.items() if name not in _IGNORED
        }
        if answer.status_code < 300:
            for token in set(_TOKEN.findall(json.dumps(call.body))):
                text = text.replace(token, "<token>")
            text = _NUMBER.sub("<number>", _UUID.sub(self._theirs_or_not, text))
            headers = {name: _UUID.sub("<id>", said) for name, said in headers.items() if name != "etag"}
        return answer.status_code, json.dumps(headers, sort_keys=True), text

    def _theirs_or_not(self, found: re.Match[str]) -> str:
        return found[0] if found[0] in self._foreign else "<id>"

    def _scrambled(self, word: str) -> str:
        """Another word of the same look; the first digits of a phone stay, since they say the country."""
        kept = 8 if word[0] in "+0123456789" else 0
        return word[:kept] + "".join(map(self._other, word[kept:]))

    def _other(self, letter: str) -> str:
        for pool in ("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"):
            if letter in pool:
                return self.random.choice(pool)
        return letter
