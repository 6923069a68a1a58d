"""Back up, restore, and copy to another database."""

from core.upkeep.backups import back_up, restore
from core.upkeep.copies import copy_in_words, copy_to

__all__ = ["back_up", "copy_in_words", "copy_to", "restore"]
