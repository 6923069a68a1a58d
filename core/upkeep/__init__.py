"""Back up, restore, and copy to another database."""

from core.upkeep.backups import FOLLOWERS, back_up, restore
from core.upkeep.copies import copy_in_words, copy_to

__all__ = ["FOLLOWERS", "back_up", "copy_in_words", "copy_to", "restore"]
