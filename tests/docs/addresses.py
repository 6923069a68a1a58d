"""Addresses of PostgreSQL that the pages name: those that SQLAlchemy does not take apart."""

import re
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import make_url

_ADDRESS = re.compile(r"postgresql\+psycopg://[^\s\"'`)]+")
_HOST = re.compile(r"[\w.-]+")


def find_broken_addresses(files: Sequence[Path], project: Path) -> list[str]:
    """Find each address whose hosts the driver would not get one by one, as a sentence."""
    return [
        f"{file.relative_to(project)}: {address} does not lead to its hosts"
        for file in files
        for address in _ADDRESS.findall(file.read_text())
        if not all(map(_HOST.fullmatch, _hosts(address)))
    ]


def _hosts(address: str) -> list[str]:
    """Return the hosts as the driver gets them."""
    url = make_url(address)
    _, given = url.get_dialect()().create_connect_args(url)
    return str(given["host"]).split(",")
