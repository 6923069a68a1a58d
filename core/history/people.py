"""The sentences of users, sign-ins and refused attempts."""

from collections.abc import Mapping
from typing import Any

from core.ground import word_of
from core.history.event import Event, in_one_line
from core.history.telling import ANY, Subject, tells


@tells("user.added", Subject.PEOPLE)
def _added(event: Event) -> str:
    role = event.words("role")
    return f"{event.who} added {event.whom}{f' with the role {word_of(role)}' if role else ''}."


@tells("user.role_changed", Subject.PEOPLE)
def _role(event: Event) -> str:
    before, after = event.words_before("role"), event.words("role")
    start = f"{event.who} changed the role of {event.whom}"
    was = f" from {word_of(before)}" if before else ""
    return f"{start}{was}{f' to {word_of(after)}' if after else ''}."


@tells("user.scope_changed", Subject.PEOPLE)
def _scope(event: Event) -> str:
    start = f"{event.who} changed the orders that {event.whom} can see"
    was, now = _orders(event.before), _orders(event.after)
    return f"{start}{f': {now}' if now else ''}{f' (before: {was})' if was else ''}."


def _orders(facts: Mapping[str, Any] | None) -> str:
    """Return which orders a user can see, as the facts before or after an event say."""
    facts = facts or {}
    contracts = facts.get("contracts")
    if facts.get("sees_all_contracts") is True:
        seen = "all contracts"
    elif not isinstance(contracts, list | tuple):
        return ""
    else:
        named = ", ".join(map(in_one_line, contracts))
        seen = f"contracts {in_one_line(named)}" if named else "no contract"
    return f"{seen}{', own orders only' if facts.get('only_own_orders') is True else ''}"


@tells("user.deactivated", Subject.PEOPLE)
def _deactivated(event: Event) -> str:
    return f"{event.who} deactivated {event.whom}."


@tells("user.reactivated", Subject.PEOPLE)
def _reactivated(event: Event) -> str:
    return f"{event.who} activated {event.whom} again."


@tells("user.sign_in_forgotten", Subject.PEOPLE)
def _forgotten(event: Event) -> str:
    return f"{event.who} removed the sign-in account of {event.whom}."


@tells("sign_in.succeeded", Subject.PEOPLE)
def _signed_in(event: Event) -> str:
    return f"{event.who} signed in."


@tells("sign_in.ended", Subject.PEOPLE)
def _signed_out(event: Event) -> str:
    return f"{event.who} signed out."


@tells("sign_in.refused", Subject.PEOPLE)
def _not_let_in(event: Event) -> str:
    return f"{event.who} could not sign in.{_told(event)}"


@tells(f"{ANY}refused", Subject.PEOPLE)
def _refused(event: Event) -> str:
    return f"{event.who} was refused.{_told(event)}"


def _told(event: Event) -> str:
    """Return what the person was told, in quotes: it says *you*."""
    why = event.words("why")
    return f" Order Desk said: “{why}”" if why else ""
