"""Orders: every order, with the refunds and vouchers of its items."""

from functools import partial

from core.tables import ORDERS
from pages.dialogs import show_card_notice, show_order_actions
from pages.grid import Extras, show_table
from pages.shell import current_actor

actor = current_actor()
extras = Extras(show_order_actions, notice=partial(show_card_notice, actor))
show_table(ORDERS, actor=actor, extras=extras)
