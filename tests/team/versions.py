"""Older versions of the project, out of its history, without touching the work tree."""

import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.e2e.servers import PROJECT
from tests.history import git
from tests.team.members import ending_with_us

PARTS = ("core", "pages", "app.py", ".streamlit")
HAND = PROJECT / "tests/team/hand.py"
# From this migration on, a version runs beside the one before it.
FIRST = "0020"
MIGRATIONS = "core/storage/migrations/versions"


def commit_before(migration: str = FIRST) -> str:
    """Return the commit before the one that brought a migration; the newest, if none has it."""
    file = f"{MIGRATIONS}/{migration}_*.py"
    brought = git("log", "--diff-filter=A", "--format=%H", "--", file).decode().split()
    return f"{brought[-1]}^" if brought else "HEAD"


def unpack(commit: str, folder: Path) -> Path:
    """Write the application as it was at a commit to a folder; return the folder."""
    with tarfile.open(fileobj=io.BytesIO(git("archive", commit, *PARTS))) as archive:
        archive.extractall(folder, filter="data")
    return folder


class Refused(Exception):
    """What a hand was refused, as the person would see it."""


class Hand:
    """A process of some version, which does what it is told."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def do(self, act: str, *given: Any) -> Any:
        """Let it do something; return what came of it. Raises Refused."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([act, *given]) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"The hand ended at {act}"
        answer = json.loads(line)
        if "refused" in answer:
            raise Refused(answer["refused"])
        return answer["value"]


@contextmanager
def lending_a_hand(version: Path, settings: dict[str, str]) -> Iterator[Hand]:
    """Run a hand of the version in a folder until the block ends."""
    command = ending_with_us([sys.executable, str(HAND)])
    environment = os.environ | settings | {"PYTHONPATH": str(version)}
    with subprocess.Popen(
        command,
        cwd=version,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Hand(process)
        finally:
            process.kill()
