"""Users: who has access, and with which rights."""

from core.tables import USERS
from pages.dialogs import show_user_actions
from pages.grid import show_table
from pages.shell import current_actor

show_table(USERS, actor=current_actor(), actions=show_user_actions)
