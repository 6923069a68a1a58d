"""The list of audit actions, each with the function that tells it as a sentence."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from core.history.event import Event, in_one_line


class Subject(StrEnum):
    """What an action is about; people choose it above a timeline."""

    REFUNDS = "refunds"
    VOUCHERS = "vouchers"
    EMAILS = "e-mails"
    NOTES = "notes"
    FILES = "imports and downloads"
    CONTRACTS = "contracts"
    PEOPLE = "users and sign-ins"
    DATABASE = "database"


Teller = Callable[[Event], str]
ANY = "*."  # before the last word of actions that many objects have, such as *.exported


@dataclass(frozen=True)
class Action:
    """An audit action: what it is about, and its sentence."""

    subject: Subject
    tell: Teller


ACTIONS: dict[str, Action] = {}


def tells(action: str, subject: Subject) -> Callable[[Teller], Teller]:
    """Let a function tell an action."""

    def register(tell: Teller) -> Teller:
        ACTIONS[action] = Action(subject, tell)
        return tell

    return register


def find_action(name: str) -> Action | None:
    """Find an action by its name: its own entry, or that of all with the same last word."""
    return ACTIONS.get(name) or ACTIONS.get(ANY + name.rpartition(".")[2])


def sentence_of(event: Event) -> str:
    """Tell an event as one sentence of plain text; an unknown action is named as it is."""
    action = find_action(event.action)
    if action is not None:
        return action.tell(event)
    named, about = in_one_line(event.action) or "an event", in_one_line(event.entity_id)
    return f"{event.who}: {named}{f' ({about})' if about else ''}."


def actions_of(subject: Subject) -> tuple[str, ...]:
    """Return the names of the actions about a subject."""
    own = (name for name, action in ACTIONS.items() if action.subject is subject)
    return tuple(name for name in own if not name.startswith(ANY))
