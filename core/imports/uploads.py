"""The uploaded files: their shown names, which ones are taken, and their copies on disk."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from core.ground import InvalidInput, OutsideFailed, get_settings, make_private_folder

logger = logging.getLogger(__name__)

SUFFIXES = (".xlsx", ".xlsm", ".csv", ".tsv", ".txt")
MAX_FILES = 20
MAX_NAME = 120
COPIED_BYTES = 1 << 20
NO_ROOM = "The files cannot be kept in DATA_DIR: {why}. Nothing was imported."


def printable_name(name: str) -> str:
    """Return a file name that is safe to show and store: no path, no control characters."""
    last = name.replace("\\", "/").rpartition("/")[2]
    kept = "".join(letter if letter.isprintable() else "�" for letter in last).strip()
    return f"{kept[: MAX_NAME - 1]}…" if len(kept) > MAX_NAME else kept or "file"


def suffix_of(name: str) -> str:
    """Return the ending of a file name, with its dot and in lower case."""
    return Path(name).suffix.lower()


def refuse_kinds(names: Sequence[str]) -> None:
    """Raise InvalidInput if there are too many files, or one is neither a workbook nor CSV."""
    if not 1 <= len(names) <= MAX_FILES:
        raise InvalidInput(f"Upload 1 to {MAX_FILES} files.")
    for name in names:
        if suffix_of(name) not in SUFFIXES:
            raise InvalidInput(f"{name}: this is not a workbook (.xlsx) or a CSV file.")


def copy_uploads(files: Sequence[IO[bytes]], paths: Sequence[Path], names: Sequence[str]) -> None:
    """Copy files, shown as `names`, to paths in a new private folder.

    Raises InvalidInput if one is too large, and OutsideFailed if there is no room for them.
    """
    try:
        make_private_folder(paths[0].parent)
        for file, path, name in zip(files, paths, names, strict=True):
            copy_upload(file, path, name)
    except OSError as error:
        logger.warning("DATA_DIR cannot be written: %s", error)
        raise OutsideFailed(NO_ROOM.format(why=error.strerror)) from error


def copy_upload(file: IO[bytes], path: Path, name: str) -> Path:
    """Copy a file to the path, and return the path; raise InvalidInput if it is too large."""
    limit_mb = get_settings().import_max_mb
    room = limit_mb * 1_000_000
    file.seek(0)  # a refused attempt may have read it already
    with path.open("xb") as copy:
        while block := file.read(COPIED_BYTES):
            room -= len(block)
            if room < 0:
                raise InvalidInput(
                    f"{name}: it is over the limit of {limit_mb:,} MB (IMPORT_MAX_MB)."
                )
            copy.write(block)
    return path
