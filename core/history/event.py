"""An audit event, and its facts as words: missing or unusual facts never raise."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from core.ground import (
    TO_COLLEAGUES,
    format_money,
    get_settings,
    show_controls,
    storable,
    word_of,
)

MAX_WORDS = 300  # characters of one fact in a sentence; the opened event has all of it
MAX_NOTE = 120  # of a note: a list of events is scanned, not read
MAX_COUNT = 10**18
KEPT_ON_DISK = "was saved to the outbox on disk, and not sent."
_ABOUT_USERS = {"user", "sign_in"}  # their IDs are e-mail addresses
_PEOPLE = (
    "author",
    "follow_up_by",
    "requested_by",
    "approved_by",
)  # facts that are e-mail addresses
_NOTHING: Mapping[str, Any] = MappingProxyType({})
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


@dataclass(frozen=True)
class Event:
    """An audit event; `names` has the names of people by their e-mail addresses."""

    action: str
    actor: str
    entity: str = ""
    entity_id: str = ""
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def who(self) -> str:
        """Return the name of the person who did it."""
        return self.name_of(self.actor) or "Somebody"

    @property
    def whom(self) -> str:
        """Return the name of the user that the event is about."""
        return self.name_of(self.entity_id) or "a user"

    @property
    def people(self) -> set[str]:
        """Return the e-mail addresses of the users whom its sentence may name."""
        facts = self.after or _NOTHING
        named = [facts.get(name) for name in _PEOPLE]
        if self.entity in _ABOUT_USERS:
            named.append(self.entity_id)
        if self.words("kind") in TO_COLLEAGUES:  # other e-mails are not to users
            named.append(facts.get("recipient"))
        mentioned = facts.get("mentioned")
        named += mentioned if isinstance(mentioned, list | tuple) else []
        return {one for one in named if isinstance(one, str) and one}

    def name_of(self, email: str) -> str:
        """Return a person's name, or the e-mail address if the name is unknown."""
        return in_one_line(self.names.get(email) or email)

    def words(self, name: str) -> str:
        """Return a fact as it was after the event, in one line; "" if there is none."""
        return in_one_line((self.after or _NOTHING).get(name))

    def words_before(self, name: str) -> str:
        """Return a fact as it was before the event."""
        return in_one_line((self.before or _NOTHING).get(name))

    def flag(self, name: str) -> bool:
        """Return whether a fact is true after the event."""
        return (self.after or _NOTHING).get(name) is True

    def parts(self, name: str) -> list[str]:
        """Return a list of texts."""
        value = (self.after or _NOTHING).get(name)
        return [in_one_line(one) for one in value] if isinstance(value, list | tuple) else []

    def count(self, name: str) -> int | None:
        """Return a number; of a list, its length."""
        return count_in(self.after or _NOTHING, name)

    @property
    def item(self) -> str:
        """Return the product and the ID of the order item that the event is about."""
        own = self.entity_id if self.entity == "order_item" else ""
        item_id, product = self.words("order_item_id") or in_one_line(own), self.words("product")
        if not product:
            return f"order item {item_id}" if item_id else "an order item"
        return f"{product} ({item_id})" if item_id else product

    @property
    def reason(self) -> str:
        """Return the reason of a refund in words, as they stand inside a sentence."""
        code = self.words("reason")
        words = in_one_line(reason_of(code))
        return words if words[1:2].isupper() else f"{words[:1].lower()}{words[1:]}"

    @property
    def note(self) -> str:
        """Return the note in quotes, after a blank; "" if there is none."""
        note = in_one_line((self.after or _NOTHING).get("note"), MAX_NOTE)
        return f" “{note}”" if note else ""

    @property
    def money(self) -> str:
        """Return the amount of the event with its currency."""
        return money_in(self.after or _NOTHING)


def count_in(facts: Mapping[str, Any], name: str) -> int | None:
    """Return a number of some facts; of a list, its length; None if there is none."""
    value = facts.get(name)
    if isinstance(value, list | tuple):
        return len(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if abs(value) < MAX_COUNT else None


def money_in(facts: Mapping[str, Any]) -> str:
    """Return the amount in some facts with its currency; "" if one of them is missing."""
    minor, currency = count_in(facts, "amount_minor"), facts.get("currency")
    if minor is None or not isinstance(currency, str) or not currency:
        return ""
    return in_one_line(format_money(minor, currency))


def in_one_line(value: object, most: int = MAX_WORDS) -> str:
    """Return a value as one line of harmless text: controls are shown or left out, the end cut."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else str(value)
    text = " ".join(_CONTROLS.sub(" ", storable(text)).split())
    cut = text if len(text) <= most else text[: most - 1].rstrip() + "…"
    return show_controls(cut)


def reason_of(code: str) -> str:
    """Return the words of a reason; of one that nobody knows any more, its code as words."""
    return get_settings().reasons.known.get(code) or word_of(code)


def counted(count: int, one: str) -> str:
    """Return a count with its noun: 1 order item, 2 order items."""
    return f"{count:,} {one}{'s' * (count != 1)}"
