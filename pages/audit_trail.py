"""Audit Trail: who did what, and what was refused."""

from core.tables import AUDIT_EVENTS
from pages.grid import show_table
from pages.shell import current_actor

show_table(AUDIT_EVENTS, actor=current_actor())
