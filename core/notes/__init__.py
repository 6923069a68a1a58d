"""Notes on orders: write and withdraw them, follow up, and mention colleagues."""

from core.notes.follow_ups import FollowUp, close_follow_up, count_of_due
from core.notes.people import Colleague, find_colleagues
from core.notes.reading import SeenNote, find_notes
from core.notes.writing import add_note, withdraw_note

__all__ = [
    "Colleague",
    "FollowUp",
    "SeenNote",
    "add_note",
    "close_follow_up",
    "count_of_due",
    "find_colleagues",
    "find_notes",
    "withdraw_note",
]
