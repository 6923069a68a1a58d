"""Transactions: every entry of the ledger."""

from core.tables import TRANSACTIONS
from pages.grid import show_table
from pages.shell import current_actor

show_table(TRANSACTIONS, actor=current_actor())
