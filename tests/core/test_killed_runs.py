"""A test run that is killed leaves no PostgreSQL server, folder or shared memory behind."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.effort import is_thorough

PROJECT = Path(__file__).parents[2]
PATIENCE_SECONDS = 60
HELD = """
import os
import time
from pathlib import Path

from tests.postgresql import running_postgresql, temporary_folder


def test_held():
    told = Path(__file__).with_suffix(".told")
    with temporary_folder("order-desk-held-") as folder, running_postgresql() as address:
        told.with_suffix(".part").write_text(f"{os.getpid()} {folder} {address}")
        told.with_suffix(".part").rename(told)
        while True:
            time.sleep(0.01)
"""
# Who is killed, of a run with a worker, and how.
KILLS = [("run", signal.SIGTERM), ("controller", signal.SIGKILL)]
if is_thorough():
    KILLS += [("run", signal.SIGKILL), ("worker", signal.SIGKILL), ("controller", signal.SIGTERM)]


@dataclass(frozen=True)
class Held:
    """What a test holds, and the process that runs it."""

    run: "subprocess.Popen[str]"
    tester: int  # the run itself, or its worker
    folder: Path
    data: Path  # of the server
    server: int
    memory: list[Path]  # POSIX shared memory of the server
    segment: str  # System V shared memory of the server

    def leftovers(self) -> list[str]:
        """Name what is still there."""
        paths = [self.folder, self.data, Path(f"/proc/{self.server}"), *self.memory]
        left = [str(path) for path in paths if path.exists()]
        segments = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
        return left + [line for line in segments if line.split()[1] == self.segment]


def _wait_for(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def held(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Held]:
    """Run a test that holds a server, directly or in a worker."""
    test, told = tmp_path / "test_held.py", tmp_path / "test_held.told"
    test.write_text(HELD)
    options = ["--confcutdir", str(tmp_path), "-p", "no:cacheprovider", "-c", os.devnull]
    workers = [] if request.param == "run" else ["-n", "1"]
    command = [sys.executable, "-m", "pytest", *options, *workers, str(test)]
    environment = os.environ | {"PYTHONPATH": str(PROJECT)}
    for name in [one for one in environment if one.startswith("PYTEST_")]:
        del environment[name]
    run = subprocess.Popen(
        command, cwd=tmp_path, env=environment, text=True, stdout=subprocess.PIPE
    )
    try:
        _wait_for(lambda: told.exists() or run.poll() is not None)
        assert told.exists(), run.communicate()[0]
        tester, folder, address = told.read_text().split()
        yield _look(run, int(tester), Path(folder), address)
    finally:
        run.kill()
        run.communicate()


def _look(run: "subprocess.Popen[str]", tester: int, folder: Path, address: str) -> Held:
    with psycopg.connect(f"{address.replace('+psycopg', '')}/postgres") as connection:
        (data,) = connection.execute("SHOW data_directory").fetchone() or ("",)
    lines = (Path(data) / "postmaster.pid").read_text().splitlines()
    server, segment = int(lines[0]), lines[6].split()[1]
    mapped = Path(f"/proc/{server}/maps").read_text()
    memory = {Path(found) for found in re.findall(r"/dev/shm/PostgreSQL\.\d+", mapped)}
    return Held(run, tester, folder, Path(data).parent, server, sorted(memory), segment)


@pytest.mark.usefixtures("postgresql_server")
@pytest.mark.parametrize(("held", "how"), KILLS, indirect=["held"])
def test_a_killed_run_leaves_nothing_behind(
    held: Held, how: signal.Signals, request: pytest.FixtureRequest
) -> None:
    assert held.memory
    assert len(held.leftovers()) == 4 + len(held.memory)
    is_worker = request.node.callspec.params["held"] == "worker"
    os.kill(held.tester if is_worker else held.run.pid, how)
    _wait_for(lambda: not held.leftovers())
