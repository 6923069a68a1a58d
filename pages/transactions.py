"""Transactions: every entry of the ledger."""

from core.tables import TRANSACTIONS
from pages.frame import current_actor
from pages.grid.table import show_table

show_table(TRANSACTIONS, actor=current_actor())
