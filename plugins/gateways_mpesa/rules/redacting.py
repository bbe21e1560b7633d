"""What may be stored of Safaricom's words: nothing of payers, no secret."""

from __future__ import annotations

from typing import Any, Final

from plugins.gateways_mpesa.rules.values import masked, without_phones

_PHONES: Final = frozenset({"phonenumber", "msisdn", "partya", "partyb", "nominatednumber"})
_GONE: Final = frozenset(
    {
        *("firstname", "middlename", "lastname", "sender", "debitpartyname", "creditpartyname"),
        *("debitpartypublicname", "creditpartypublicname", "receiverpartypublicname", "customername"),
        *("password", "securitycredential", "access_token", "authorization", "initiatorpassword"),
    }
)
_LONGEST: Final = 2_000
_DEEPEST: Final = 40


def redacted(raw: Any, depth: int = 0) -> Any:
    """A copy without names, secrets and whole phone numbers, wherever in it they stand."""
    if depth > _DEEPEST:
        return None
    if isinstance(raw, dict):
        return _pair(raw, depth) or {str(key): _field(str(key), value, depth) for key, value in raw.items()}
    if isinstance(raw, list | tuple):
        return [redacted(one, depth + 1) for one in raw]
    if isinstance(raw, str):
        return without_phones(raw)[:_LONGEST]
    if isinstance(raw, int) and not isinstance(raw, bool):
        shown = without_phones(str(raw)) if abs(raw) < 10**20 else "***"
        return shown if "*" in shown else raw
    return raw


def _pair(raw: dict[Any, Any], depth: int) -> dict[str, Any] | None:
    """An entry `{Name: PhoneNumber, Value: …}`: the name says what the value is."""
    for label in ("Name", "Key"):
        name = raw.get(label)
        if isinstance(name, str) and "Value" in raw and name.lower() in _PHONES | _GONE:
            return {label: name, "Value": _field(name, raw["Value"], depth)}
    return None


def _field(name: str, value: Any, depth: int) -> Any:
    if name.lower() in _GONE:
        return "***" if value not in (None, "") else value
    if name.lower() in _PHONES:
        return masked(value) if isinstance(value, str | int | float) and len(str(value)) > 7 else value
    return redacted(value, depth + 1)
