"""Orders: every order."""

from core.tables import ORDERS
from pages.frame import current_actor
from pages.grid.table import show_table

show_table(ORDERS, actor=current_actor())
