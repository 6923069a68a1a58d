"""Audit Trail: who did what, and who was refused what."""

from core.tables import AUDIT_EVENTS
from pages.frame import current_actor
from pages.grid.table import show_table

show_table(AUDIT_EVENTS, actor=current_actor())
