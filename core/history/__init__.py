"""The audit trail as people read it: a sentence for each action, and what changed by it."""

from core.history import contracts, files, notes, people, refunds, vouchers  # noqa: F401 - they add their actions
from core.history.changes import Change, changes_of
from core.history.event import Event
from core.history.telling import ACTIONS, ANY, Subject, actions_of, find_action, sentence_of

__all__ = [
    "ACTIONS",
    "ANY",
    "Change",
    "Event",
    "Subject",
    "actions_of",
    "changes_of",
    "find_action",
    "sentence_of",
]
