"""Files and folders for this user alone: made so whatever the umask, and named where they are not.

One that is there already is left as it is: somebody may have opened it to others on purpose.
"""

import logging
import os
import shlex
import stat
from collections.abc import Iterable
from pathlib import Path

logger = logging.getLogger(__name__)

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def make_private_folder(path: Path) -> None:
    """Make a folder, and those above it, for this user alone, unless they are there.

    OSError where that cannot be, or something else is there.
    """
    if path.is_dir():
        return
    make_private_folder(path.parent)
    path.mkdir(PRIVATE_FOLDER, exist_ok=True)  # another process may be first


def make_private_file(path: Path) -> None:
    """Make an empty file, with its folder, for this user alone, unless it is there; OSError."""
    make_private_folder(path.parent)
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, PRIVATE_FILE))


def open_private(path: str, flags: int) -> int:
    """Open a file as `open` wants an opener to; one that is made is for this user alone."""
    return os.open(path, flags, PRIVATE_FILE)


def warn_of_open_file(paths: Iterable[Path]) -> None:
    """Say in the log which of these others on this machine can open, and what closes them.

    Windows has no such modes, and nothing is said there.
    """
    for path in paths if os.name == "posix" else ():
        try:
            mode = path.stat().st_mode
        except OSError:
            continue  # it is not there, or not ours to look at: what needs it says so
        if mode & _OTHERS:
            right = PRIVATE_FOLDER if stat.S_ISDIR(mode) else PRIVATE_FILE
            repair = f"chmod {right:o} {shlex.quote(str(path))}"
            logger.warning("Others on this machine can open %s. To close it: %s", path, repair)
