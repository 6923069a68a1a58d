"""Order Items: every bought service, with its voucher, refund deadline and state."""

from core.tables import ORDER_ITEMS
from pages.frame import current_actor
from pages.grid.table import show_table

show_table(ORDER_ITEMS, actor=current_actor())
