"""Secrets in files of the data folder. The first start creates them, later ones read them."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from core.ground.private_files import PRIVATE_FILE, make_private_folder


def read_or_create_secret(path: Path, make: Callable[[], str]) -> str:
    """Return the content of a secret file; if it is missing, create it as a private file.

    Processes that start at the same time get the same secret. Raises OSError if the file cannot be
    created or read.
    """
    make_private_folder(path.parent)
    if not path.exists():
        mine = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
        with os.fdopen(descriptor, "w") as file:
            file.write(make())
        try:
            os.link(mine, path)  # atomic; fails if another process was first
        except FileExistsError:
            pass
        finally:
            mine.unlink()
    return path.read_text()
