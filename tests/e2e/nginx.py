"""nginx with TLS before a server, as an operator sets it up: it passes every path on unchanged."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from tests.conftest import free_port
from tests.core.certificates import make_certificate
from tests.e2e.servers import wait_until

PASSES = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
SITE = """
daemon off;
{user}
pid {folder}/pid;
events {{}}
http {{
    access_log off;
    {folders}
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {certificate};
        ssl_certificate_key {certificate};
        client_max_body_size 201m;
        location / {{ return 404; }}
        location {base}/ {{
            proxy_pass http://127.0.0.1:{target};
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection "upgrade";
        }}
    }}
}}
"""


@contextmanager
def proxying(folder: Path, *, port: int, target: int, base: str) -> Iterator[str]:
    """Run nginx on a port until the block ends, before a server that listens on another."""
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if program is None:
        pytest.fail("There is no nginx: run sh tests/install_system_packages.sh")
    folder = folder / f"nginx-{free_port()}"
    folder.mkdir()
    site = SITE.format(
        user="user root;" if os.getuid() == 0 else "",
        folder=folder,
        folders="".join(f"{one}_temp_path {folder}/{one};" for one in PASSES),
        certificate=make_certificate(folder / "certificate.pem", host="localhost"),
        port=port,
        target=target,
        base=base,
    )
    (folder / "site.conf").write_text(site)
    log = folder / "log"
    command = [program, "-p", str(folder), "-c", str(folder / "site.conf"), "-e", str(log)]
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
        return httpx.get(url, verify=False).status_code == 404
    return False
