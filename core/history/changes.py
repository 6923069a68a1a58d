"""What an audit event changed: each fact with its values before and after, as words."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.ground import flag_value, word_of
from core.history.event import money_in, reason_of

# Facts whose values are codes that have a word.
_CODES = {"status", "role", "kind", "method"}
_AMOUNT, _CURRENCY, _REASON = "amount_minor", "currency", "reason"


@dataclass(frozen=True)
class Change:
    """A fact of an event; a value is "" if it was not stored."""

    name: str
    before: str
    after: str


def changes_of(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> list[Change]:
    """Return the facts of an event in the order in which they were stored, those before first."""
    was, now = _in_words(before or {}), _in_words(after or {})
    return [Change(name, was.get(name, ""), now.get(name, "")) for name in {**was, **now}]


def _in_words(facts: Mapping[str, Any]) -> dict[str, str]:
    """Return the facts by their names; an amount and its currency are one fact."""
    money = money_in(facts)
    left = {name: value for name, value in facts.items() if not (money and name == _CURRENCY)}
    return {
        _header(name): money if money and name == _AMOUNT else _value(name, value)
        for name, value in left.items()
        if value is not None
    }


def _header(name: str) -> str:
    """Return a name as tables write their headers: Order Item ID."""
    words = name.removesuffix("_minor").split("_")
    return " ".join("ID" if word == "id" else word[:1].upper() + word[1:] for word in words)


def _value(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return word_of(flag_value(value))
    if isinstance(value, str):
        if name == _REASON:
            return reason_of(value)
        return word_of(value) if name in _CODES else value
    if isinstance(value, list | tuple) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    if isinstance(value, Mapping) and all(isinstance(one, str | int) for one in value.values()):
        return ", ".join(f"{_header(one)}: {_value(one, of)}" for one, of in value.items())
    return json.dumps(value, ensure_ascii=False, default=str)
