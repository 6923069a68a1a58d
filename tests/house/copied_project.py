"""A copy of the project, to plant something in and see who notices."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
UNWANTED = shutil.ignore_patterns("__pycache__", "node_modules")
PARTS = ("core", "pages", "tests", "app.py", "pyproject.toml")


def copy_project(folder: Path) -> Path:
    """Copy what is written by hand, without what Python makes of it; return the copy."""
    for part in PARTS:
        source = PROJECT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=UNWANTED)
        else:
            shutil.copy(source, folder / part)
    return folder


@contextmanager
def planted(file: Path, line: str) -> Iterator[None]:
    """Add a line to a file for as long as the block runs; a new file is removed after it."""
    before = file.read_text() if file.exists() else None
    file.write_text(f"{before or ''}\n{line}\n")
    try:
        yield
    finally:
        if before is None:
            file.unlink()
        else:
            file.write_text(before)
