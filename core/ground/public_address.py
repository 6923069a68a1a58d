"""The public URL of Order Desk: its site, and the path that it is served under."""

from ipaddress import ip_address
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}
_FORBIDDEN = ("?", "#", "@", "\\")


def parse(url: str) -> str:
    """Return a URL as browsers write it: in lower case, without default port and final slash.

    Raises ValueError unless it is the URL of a site, or of a path on a site.
    """
    if not url.lower().startswith(("http://", "https://")):
        raise ValueError("must start with https:// or http://")
    if not url.isprintable() or " " in url or any(one in url for one in _FORBIDDEN):
        raise ValueError("must be a plain URL such as https://desk.example.com")
    return origin_of(url) + urlsplit(url).path.rstrip("/")


def origin_of(url: str) -> str:
    """Return the origin of a URL as browsers send it: scheme, host, and a port if not the default.

    Raises ValueError if the host or the port is invalid.
    """
    try:
        parts = urlsplit(url)
        host, port = _host(parts.hostname or ""), parts.port
    except ValueError as error:  # UnicodeError too
        raise ValueError("must have a valid host and port") from error
    is_default = port is None or port == _DEFAULT_PORTS.get(parts.scheme)
    return f"{parts.scheme}://{host}" if is_default else f"{parts.scheme}://{host}:{port}"


def _host(name: str) -> str:
    if ":" in name:
        return f"[{ip_address(name).compressed}]"
    if not name:
        raise ValueError("there is no host")
    return name if name.isascii() else name.encode("idna").decode()


def under(url: str, base: str) -> str:
    """Append the path `base` to a URL, unless the URL ends in it."""
    path = "/".join(filter(None, base.split("/")))
    if not path or f"{urlsplit(url).path}/".endswith(f"/{path}/"):
        return url
    return f"{url}/{path}"
