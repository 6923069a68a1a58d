"""Audit Trail: who did what, and what was refused."""

from core.tables import AUDIT_EVENTS
from pages.grid import Extras, show_table
from pages.history import show_event_actions
from pages.shell import current_actor

show_table(AUDIT_EVENTS, actor=current_actor(), extras=Extras(show_event_actions))
