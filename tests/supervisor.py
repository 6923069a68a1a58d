"""Ends what a test run started, however the run ends: SIGKILL included.

A process of its own runs the command until its input ends. The input is a pipe from the test run:
the system closes it when the run is gone. Then it stops the command and removes the folder. It has
its own session, so that a signal to the run's process group does not reach it.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

END_SECONDS = 30


@contextmanager
def supervised(
    folder: Path,
    command: Sequence[str] = (),
    *,
    user: str | None = None,
    end_by: signal.Signals = signal.SIGQUIT,
    is_kept: bool = False,
) -> Iterator[None]:
    """Run a command in a folder for the block, then end it by a signal and remove the folder."""
    options = ["--folder", str(folder), "--end-by", str(int(end_by))]
    options += ["--user", user] if user else []
    options += ["--keep"] if is_kept else []
    program = [sys.executable, "-IS", __file__, *options, "--", *command]
    process = subprocess.Popen(program, stdin=subprocess.PIPE, start_new_session=True)
    try:
        yield
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait()


def main() -> None:
    """Run the command until the input ends, then clean up."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--end-by", type=int)
    parser.add_argument("--user")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("command", nargs="*")
    asked = parser.parse_args()
    child = _start(asked.folder, asked.user, asked.command) if asked.command else None
    sys.stdin.buffer.read()
    if child is not None:
        _end(child, asked.end_by)
    if not asked.keep:
        shutil.rmtree(asked.folder, ignore_errors=True)


def _start(folder: Path, user: str | None, command: Sequence[str]) -> subprocess.Popen[bytes]:
    with (folder / "output").open("a") as output:
        return subprocess.Popen(
            command,
            cwd=folder,
            user=user,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def _end(child: subprocess.Popen[bytes], how: int) -> None:
    """Signal the command and its children, and wait for it."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, how)
    try:
        child.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


if __name__ == "__main__":
    main()
