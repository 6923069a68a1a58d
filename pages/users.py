"""Users: who has access, and with which rights."""

from core.tables import USERS
from pages.dialogs import show_user_actions
from pages.grid import Extras, show_table
from pages.shell import current_actor

extras = Extras(show_user_actions, has_main_action=True)
show_table(USERS, actor=current_actor(), extras=extras)
