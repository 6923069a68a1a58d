"""Back up, restore, copy to another database, and keep processes to the same keys."""

from core.upkeep.backups import back_up, restore
from core.upkeep.copies import copy_in_words, copy_to
from core.upkeep.keys import UnknownKeys, check_keys, refuse_other_keys, trust_keys

__all__ = [
    "UnknownKeys",
    "back_up",
    "check_keys",
    "copy_in_words",
    "copy_to",
    "refuse_other_keys",
    "restore",
    "trust_keys",
]
