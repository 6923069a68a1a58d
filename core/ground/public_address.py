"""The address that people type: which site it is, and the path that Order Desk is served under."""

from ipaddress import ip_address
from urllib.parse import urlsplit

_USUAL_PORTS = {"http": 80, "https": 443}
_MARKS = ("?", "#", "@", "\\")


def parse(url: str) -> str:
    """Return an address as browsers write it: small letters, no usual port, no slash at its end.

    Raises ValueError when it is not the address of a site, or of a path on one.
    """
    if not url.lower().startswith(("http://", "https://")):
        raise ValueError("must start with https:// or http://")
    if not url.isprintable() or " " in url or any(mark in url for mark in _MARKS):
        raise ValueError("must be an address such as https://desk.example.com, and nothing more")
    return origin_of(url) + urlsplit(url).path.rstrip("/")


def origin_of(url: str) -> str:
    """Return the origin of an address, as browsers send it: scheme, host, and an unusual port.

    Raises ValueError when the address has no valid host or port.
    """
    try:
        parts = urlsplit(url)
        host, port = _host(parts.hostname or ""), parts.port
    except ValueError as error:  # UnicodeError too
        raise ValueError("must have a valid host and port") from error
    is_usual = port is None or port == _USUAL_PORTS.get(parts.scheme)
    return f"{parts.scheme}://{host}" if is_usual else f"{parts.scheme}://{host}:{port}"


def _host(name: str) -> str:
    if ":" in name:
        return f"[{ip_address(name).compressed}]"
    if not name:
        raise ValueError("there is no host")
    return name if name.isascii() else name.encode("idna").decode()


def under(url: str, base: str) -> str:
    """Return the address of Order Desk on a site, of which `base` is its path; perhaps given."""
    path = "/".join(filter(None, base.split("/")))
    if not path or f"{urlsplit(url).path}/".endswith(f"/{path}/"):
        return url
    return f"{url}/{path}"
