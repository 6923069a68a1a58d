"""Users: who may come in, and with which rights."""

from core.tables import USERS
from pages.grid.table import show_table
from pages.shell import current_actor
from pages.user_dialogs import show_user_actions

show_table(USERS, actor=current_actor(), actions=show_user_actions)
