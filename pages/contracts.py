"""Contracts: their names, and above which amount a second person approves refunds."""

from core.tables import CONTRACTS
from pages.dialogs import show_contract_actions
from pages.grid import Extras, show_table
from pages.shell import current_actor

show_table(CONTRACTS, actor=current_actor(), extras=Extras(show_contract_actions))
