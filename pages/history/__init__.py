"""Events as people read them: the timeline of an order, and one event in a dialog."""

from pages.history.opened import show_event_actions
from pages.history.timeline import show_history

__all__ = ["show_event_actions", "show_history"]
