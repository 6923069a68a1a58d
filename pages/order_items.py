"""Order Items: every item of an order, with its refund and its voucher."""

from core.tables import ORDER_ITEMS
from pages.dialogs import REFUND_RULE, show_item_actions
from pages.grid import Extras, show_table
from pages.shell import current_actor

extras = Extras(show_item_actions, explains=REFUND_RULE)
show_table(ORDER_ITEMS, actor=current_actor(), extras=extras)
