"""The history of the project in git, if it is a clone."""

import subprocess
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]


def git(*arguments: str) -> bytes:
    """Ask git about the project; return what it says."""
    command = ["git", *arguments]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, check=True).stdout


@cache
def has_history() -> bool:
    """Say whether the project is a clone with its whole history, and no unpacked archive."""
    try:
        top = Path(git("rev-parse", "--show-toplevel").decode().strip())
        return top == PROJECT and git("rev-parse", "--is-shallow-repository").strip() == b"false"
    except (OSError, subprocess.CalledProcessError):
        return False
