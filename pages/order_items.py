"""Order Items: every item of an order, with its refund and its voucher."""

from core.tables import ORDER_ITEMS
from pages.actions import show_item_actions
from pages.frame import current_actor
from pages.grid.table import show_table

show_table(ORDER_ITEMS, actor=current_actor(), actions=show_item_actions)
