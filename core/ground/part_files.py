"""Write a file under another name first: under its own name it is whole, or not there.

A process that is killed leaves its part behind. So DATA_DIR has a note for each part, which its
process keeps locked; the next start removes the parts whose notes nobody locks.
"""

import logging
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from core.ground.errors import InvalidInput
from core.ground.private_files import PRIVATE_FILE, make_private_folder, open_private
from core.ground.settings import get_settings

logger = logging.getLogger(__name__)

NOTES = "parts"  # a folder in DATA_DIR
ENDING = ".part"
UNLOCKED = ".new"  # the ending of a note until its process has locked it
FOLLOWERS = ("-wal", "-shm", "-journal")  # files that SQLite keeps next to a database


@contextmanager
def part_of(path: Path) -> Iterator[Path]:
    """Yield an empty private file next to `path`, to fill and to move there.

    What is left of it is removed after the block. Raises InvalidInput if the folder is missing.
    """
    folder = path.resolve().parent
    if not folder.is_dir():
        raise InvalidInput(f"The folder {folder} was not found.")
    part = folder / f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}{ENDING}"
    with _noted(part):
        try:
            os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE_FILE))
            yield part
        finally:
            _remove(part)


def remove_left_parts() -> None:
    """Remove the parts of processes that were killed; those that are being written stay."""
    for note in (get_settings().data_dir / NOTES).glob("*"):
        if note.suffix == UNLOCKED:
            continue
        with suppress(OSError, ValueError), note.open("r+", encoding="utf-8") as file:
            if not _lock(file):
                continue
            said, _, host = file.read().partition("\n")
            part = Path(said)
            was_there = part.name.endswith(ENDING) and _remove(part)
            if was_there:
                logger.warning("Removed %s: the process that wrote it was killed", part)
            if was_there or host in ("", socket.gethostname()):  # others may share DATA_DIR
                note.unlink()


@contextmanager
def _noted(part: Path) -> Iterator[None]:
    """Keep a note of a part; without one, if DATA_DIR cannot be written, it is only not removed."""
    note = get_settings().data_dir / NOTES / secrets.token_hex(8)
    try:
        make_private_folder(note.parent)
        file = _locked_note(note, f"{part}\n{socket.gethostname()}")
    except OSError as error:
        logger.warning("DATA_DIR cannot be written: %s", error)
        yield
        return
    with file:
        try:
            yield
        finally:
            note.unlink(missing_ok=True)


def _locked_note(note: Path, said: str) -> IO[str]:
    """Write a note that others see only once it is locked, and keep it open."""
    first = note.with_suffix(UNLOCKED) if os.name == "posix" else note
    file = open(first, "x", encoding="utf-8", opener=open_private)  # noqa: SIM115 - closed by _noted
    try:
        _lock(file)
        file.write(said)
        file.flush()
        if first != note:
            first.replace(note)
    except OSError:
        file.close()
        first.unlink(missing_ok=True)
        raise
    return file


def _lock(file: IO[str]) -> bool:
    """Lock a file until it is closed, or its process ends; return whether nobody else locks it.

    Windows needs no lock: it removes no file that is open.
    """
    if os.name != "posix":
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _remove(part: Path) -> bool:
    """Remove a part and what SQLite keeps next to it; return whether it was there."""
    was_there = part.exists()
    for ending in ("", *FOLLOWERS):
        Path(f"{part}{ending}").unlink(missing_ok=True)
    return was_there
