"""Order Items: every item of an order, with its refund and its voucher."""

from functools import partial

from core.tables import ORDER_ITEMS
from pages.dialogs import REFUND_RULE, show_card_notice, show_item_actions
from pages.grid import Extras, show_table
from pages.shell import current_actor

actor = current_actor()
notice = partial(show_card_notice, actor)
extras = Extras(show_item_actions, explains=REFUND_RULE, notice=notice)
show_table(ORDER_ITEMS, actor=actor, extras=extras)
