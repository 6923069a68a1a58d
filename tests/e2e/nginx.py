"""nginx with the configuration of deploy/ before servers on this machine, or before a proxy."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from tests.conftest import free_port
from tests.core.certificates import make_certificate
from tests.e2e.servers import PROJECT, wait_until

CONFIGURATION = PROJECT / "deploy/nginx.conf"
SERVERS = """    server 127.0.0.1:8501 max_fails=1 fail_timeout=5s;
    server 127.0.0.1:8502 max_fails=1 fail_timeout=5s;
"""
PASSES = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
WHOLE = """
daemon off;
{user}
pid {folder}/pid;
events {{}}
http {{
    {folders}
    include {folder}/site.conf;
}}
"""


def configure(
    folder: Path, targets: Sequence[int], *, port: int, base: str = "", is_proxy: bool = False
) -> list[str]:
    """Write the configuration to a folder; return the command that runs nginx with it.

    The targets are the ports of servers, or of one that `is_proxy` and speaks TLS itself.
    """
    certificate = make_certificate(folder / "certificate.pem", host="localhost")
    site = CONFIGURATION.read_text()
    changes = {
        SERVERS: "".join(f"    server 127.0.0.1:{one} max_fails=1;\n" for one in targets),
        "listen 80;": f"listen 127.0.0.1:{free_port()};",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{port} ssl http2;",
        "server_name desk.helios.example;": "server_name localhost;",
        "/etc/nginx/desk.pem": str(certificate),
        "location / {": f"location / {{ return 404; }}\n    location {base}/ {{",
        "proxy_pass http://desk;": f"proxy_pass {'https' if is_proxy else 'http'}://desk;",
    }
    changes |= {} if base else {"location / {": "location / {"}
    for there, here in changes.items():
        assert there in site, f"deploy/nginx.conf does not say {there} now"
        site = site.replace(there, here)
    (folder / "site.conf").write_text(site)
    whole = WHOLE.format(
        user="user root;" if os.getuid() == 0 else "",
        folder=folder,
        folders="".join(f"{one}_temp_path {folder}/{one};" for one in PASSES),
    )
    (folder / "nginx.conf").write_text(whole)
    files = ("-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "log"))
    return [_find_nginx(), *files]


def _find_nginx() -> str:
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    return program or pytest.fail("There is no nginx: run sh tests/install_system_packages.sh")


@contextmanager
def proxying(
    folder: Path, targets: Sequence[int], *, port: int, base: str = "", is_proxy: bool = False
) -> Iterator[str]:
    """Run nginx on a port until the block ends, before what listens on others."""
    folder = folder / f"nginx-{port}"
    folder.mkdir()
    command = configure(folder, targets, port=port, base=base, is_proxy=is_proxy)
    log = folder / "log"
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        url = f"https://localhost:{port}"
        wait_until(lambda: _answers(url), process, log)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def _answers(url: str) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(url, verify=False).status_code > 0
    return False
