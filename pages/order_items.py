"""Order Items: every item of an order, with its refund and its voucher."""

from core.tables import ORDER_ITEMS
from pages.dialogs import show_item_actions
from pages.grid import show_table
from pages.shell import current_actor

show_table(ORDER_ITEMS, actor=current_actor(), actions=show_item_actions)
