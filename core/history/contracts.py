"""The sentences of contracts."""

from core.history.event import Event, in_one_line
from core.history.telling import Subject, tells

_FACTS = {"name": ("name", "none"), "refund_limit": ("refund limit", "no limit")}


@tells("contract.changed", Subject.CONTRACTS)
def _changed(event: Event) -> str:
    changes = ", ".join(
        f"{words} from {event.words_before(name) or nothing} to {event.words(name) or nothing}"
        for name, (words, nothing) in _FACTS.items()
        if event.words_before(name) != event.words(name)
    )
    named = in_one_line(event.entity_id)
    start = f"{event.who} changed {f'contract {named}' if named else 'a contract'}"
    return f"{start}{f': {changes}' if changes else ''}."
