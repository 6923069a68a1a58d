"""Refunds: who refunded what, why, and how it ended; and those of the provider to be matched."""

from functools import partial

from core.tables import REFUNDS
from pages.dialogs import REFUND_RULE, show_refund_actions, show_unmatched_refunds
from pages.grid import Extras, show_table
from pages.shell import current_actor

actor = current_actor()
unmatched = partial(show_unmatched_refunds, actor)
extras = Extras(show_refund_actions, explains=REFUND_RULE, notice=unmatched)
show_table(REFUNDS, actor=actor, extras=extras)
