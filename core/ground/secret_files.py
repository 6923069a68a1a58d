"""Secrets that the first start makes and every later one reads: files of the data folder."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from core.ground.private_files import PRIVATE_FILE, make_private_folder


def read_or_make_secret(path: Path, make: Callable[[], str]) -> str:
    """Return what the file holds; make it first, for this user alone, when there is none.

    Two processes that start at once share one. OSError when it cannot be made or read.
    """
    make_private_folder(path.parent)
    if not path.exists():
        mine = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
        with os.fdopen(descriptor, "w") as file:
            file.write(make())
        try:
            os.link(mine, path)  # whole, or not at all; fails when the other process was first
        except FileExistsError:
            pass
        finally:
            mine.unlink()
    return path.read_text()
