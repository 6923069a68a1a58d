"""Orders: every order, with the refunds and vouchers of its items."""

from core.tables import ORDERS
from pages.dialogs import show_order_actions
from pages.grid import Extras, show_table
from pages.shell import current_actor

show_table(ORDERS, actor=current_actor(), extras=Extras(show_order_actions))
