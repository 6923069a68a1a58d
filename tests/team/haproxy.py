"""haproxy with the configuration of deploy/ before processes on this machine."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.conftest import free_port
from tests.core.certificates import make_certificate
from tests.e2e.servers import PROJECT, wait_until

CONFIGURATION = PROJECT / "deploy/haproxy.cfg"
SECOND = '    server app2 "${DESK_APP_2}" cookie app2\n'
PATHS = f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin"


@dataclass(frozen=True)
class Balancer:
    """A running haproxy."""

    url: str  # with the path
    socket: Path
    log: Path

    def say(self, command: str) -> str:
        """Say something to its socket, as an operator does; return the answer."""
        with socket.socket(socket.AF_UNIX) as admin:
            admin.connect(str(self.socket))
            admin.sendall(f"{command}\n".encode())
            with admin.makefile() as answer:
                return answer.read()

    def set_state(self, process: int, state: str) -> None:
        """Let a process, counted from 1, be asked (ready), or not (maint)."""
        answer = self.say(f"set server desk/app{process} state {state}").strip()
        assert answer == "", answer

    def count_up(self) -> int:
        """Count the processes that haproxy takes for alive."""
        rows = self.say("show stat").splitlines()
        names = rows[0].removeprefix("# ").split(",")
        states = [dict(zip(names, row.split(","), strict=False)) for row in rows[1:] if row]
        ours = [one for one in states if one["pxname"] == "desk" and one["svname"] != "BACKEND"]
        return sum(one["status"].startswith("UP") for one in ours)


def find_haproxy() -> str:
    """Return the program haproxy."""
    found = shutil.which("haproxy", path=PATHS)
    return found or pytest.fail("There is no haproxy: run sh tests/install_system_packages.sh")


def configure(folder: Path, ports: Sequence[int], *, port: int, base: str = "") -> dict[str, str]:
    """Write the configuration for processes at ports to a folder; return haproxy's settings."""
    text = CONFIGURATION.read_text()
    assert SECOND in text, "deploy/haproxy.cfg names its second process in another way now"
    more = [SECOND.replace("2", str(number)) for number in range(3, len(ports) + 1)]
    (folder / "haproxy.cfg").write_text(text.replace(SECOND, SECOND + "".join(more)))
    given = {f"DESK_APP_{number}": f"127.0.0.1:{one}" for number, one in enumerate(ports, 1)}
    return given | {
        "DESK_BIND": f"127.0.0.1:{port}",
        "DESK_PLAIN_BIND": f"127.0.0.1:{free_port()}",
        "DESK_CERTIFICATE": str(make_certificate(folder / "certificate.pem", host="localhost")),
        "DESK_HOST": "localhost",
        "DESK_PATH": base,
        "DESK_SOCKET": str(folder / "admin.sock"),
        "DESK_UNPRIVILEGED": "1",
    }


@contextmanager
def balancing(
    folder: Path, ports: Sequence[int], *, port: int, base: str = ""
) -> Iterator[Balancer]:
    """Run haproxy on a port until the block ends, before the processes at ports."""
    folder = folder / f"haproxy-{port}"
    folder.mkdir()
    settings = configure(folder, ports, port=port, base=base)
    log = folder / "log"
    command = [find_haproxy(), "-db", "-f", str(folder / "haproxy.cfg")]
    with log.open("ab") as output:
        process = subprocess.Popen(command, env=os.environ | settings, stdout=output, stderr=output)
    try:
        balancer = Balancer(f"https://localhost:{port}{base}", folder / "admin.sock", log)
        wait_until(lambda: _answers(port), process, log)
        yield balancer
    finally:
        process.terminate()
        process.wait(10)


def _answers(port: int) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(f"https://localhost:{port}/", verify=False).status_code > 0
    return False
