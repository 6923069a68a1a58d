"""Refunds: who refunded what, why, and how it ended; and those of the provider to be matched."""

from core.tables import REFUNDS
from pages.dialogs import show_refund_actions, show_unmatched_refunds
from pages.grid import show_table
from pages.shell import current_actor

actor = current_actor()
show_unmatched_refunds(actor)
show_table(REFUNDS, actor=actor, actions=show_refund_actions)
