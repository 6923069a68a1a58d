"""Files and folders that only this user can open, whatever the umask is.

An existing file or folder keeps its mode: someone may have opened it to others on purpose.
`warn_if_open` names these in the log.
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
    """Create a private folder and its missing parents, unless it exists.

    Raises OSError if it cannot be created or the path is not a folder.
    """
    if path.is_dir():
        return
    make_private_folder(path.parent)
    path.mkdir(PRIVATE_FOLDER, exist_ok=True)  # another process may be first


def make_private_file(path: Path) -> None:
    """Create an empty private file and its folder, unless they exist; raises OSError."""
    make_private_folder(path.parent)
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, PRIVATE_FILE))


def open_private(path: str, flags: int) -> int:
    """Open a file, as the `opener` of `open`. A file that is created is private."""
    return os.open(path, flags, PRIVATE_FILE)


def warn_if_open(paths: Iterable[Path]) -> None:
    """Log a warning for each path that other users can open, with the command that closes it.

    Does nothing on Windows, which has no such modes.
    """
    for path in paths if os.name == "posix" else ():
        try:
            mode = path.stat().st_mode
        except OSError:
            continue  # it is missing or unreadable; the code that needs it reports that
        if mode & _OTHERS:
            private = PRIVATE_FOLDER if stat.S_ISDIR(mode) else PRIVATE_FILE
            fix = f"chmod {private:o} {shlex.quote(str(path))}"
            logger.warning("Other users of this machine can open %s. Fix: %s", path, fix)
