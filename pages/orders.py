"""Orders: every order."""

from core.tables import ORDERS
from pages.grid import show_table
from pages.shell import current_actor

show_table(ORDERS, actor=current_actor())
