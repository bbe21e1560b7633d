"""Headers: how those of a request are read, and which every answer carries (ASVS 5.0, section 3.4)."""

from __future__ import annotations

from collections.abc import Iterable

from kernel.errors import BadRequest, HeadersTooLarge, UriTooLong

MOST_HEADER_BYTES = 8192
"""Of one header's value."""
MOST_HEADERS_BYTES = 32_768
"""Of all headers of a request together, names too."""
MOST_HEADERS = 100
MOST_PATH_BYTES = 8192
MOST_QUERY_BYTES = 8192

ONCE = frozenset(
    {
        *("authorization", "content-encoding", "content-length", "content-type", "host", "idempotency-key"),
        *("if-match", "if-none-match", "origin", "x-duka-key"),
    }
)
"""Headers that mean nothing certain when they come twice: whoever stands between may read the other one."""

POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
STRICT_TRANSPORT = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}
"""Of answers over https, a year."""


def as_lines(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """Headers as ASGI wants them."""
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]


_ALWAYS = as_lines(ALWAYS.items())
_ALWAYS_STRICTLY = [*_ALWAYS, *as_lines(STRICT_TRANSPORT.items())]


def completed(given: Iterable[tuple[bytes, bytes]], *, secure: bool) -> list[tuple[bytes, bytes]]:
    """An answer's headers with those that every answer carries; what an answer says itself stays."""
    lines = list(given)
    said = {name.lower() for name, _ in lines}
    lines += [line for line in (_ALWAYS_STRICTLY if secure else _ALWAYS) if line[0] not in said]
    return lines


def read_headers(lines: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """The headers of a request, names in lower case. Raises HeadersTooLarge, and BadRequest for one that came twice."""
    found: dict[str, str] = {}
    size = 0
    for count, (name, value) in enumerate(lines, 1):
        size += len(name) + len(value)
        if len(value) > MOST_HEADER_BYTES or size > MOST_HEADERS_BYTES or count > MOST_HEADERS:
            raise HeadersTooLarge
        key = name.decode("latin-1").lower()
        if key in found and key in ONCE:
            raise BadRequest(f"The header {key} came twice")
        found[key] = value.decode("latin-1")
    return found


def check_address(path: bytes, query: bytes) -> None:
    """Raise UriTooLong for a path or a query string beyond 8 KiB."""
    if len(path) > MOST_PATH_BYTES or len(query) > MOST_QUERY_BYTES:
        raise UriTooLong
