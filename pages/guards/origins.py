"""Accept a write or a WebSocket from a browser only if one of our own pages asks.

A browser sends its cookies for every page that asks. It names the site of that page in the header
Origin, which a page cannot change. A request without Origin comes from a script, a health check or
a test, and brings only its own cookies. So it is passed on, and still needs a sign-in.
"""

import logging
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from core.ground import get_settings, is_loopback, origin_of
from pages.web import refuse_json

logger = logging.getLogger(__name__)

MAX_LENGTH = 300  # a host name has at most 253 characters
READING = {"GET", "HEAD", "OPTIONS"}
_DEFAULT_PORTS = {b"http://": b":80", b"https://": b":443"}
_SCHEMES = {"ws": "http", "wss": "https"}


class OwnOrigin:
    """Refuses with 403 a request from a page of another site, or with several origins.

    It comes before anything uses a body or a cookie or asks the database.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        origins = _all(scope, b"origin") if _writes(scope) else []
        if not origins:
            await self.app(scope, receive, send)
        elif len(origins) > 1 or not is_own(origins[0], scope):
            await _refuse(origins, scope, receive, send)
        elif scope["type"] == "websocket":
            await self.app(_at_its_origin(scope, origins[0]), receive, send)
        else:
            await self.app(scope, receive, send)


def is_own(origin: bytes, scope: Scope) -> bool:
    """Return whether an Origin is ours: that of PUBLIC_URL, and on this machine that of Host.

    On other machines Host proves nothing: a proxy may change it, and DNS rebinding can choose it.
    """
    if len(origin) > MAX_LENGTH:
        return False
    asked, has_sign_in = _normal(origin), get_settings().has_sign_in
    if has_sign_in and asked == public_origin().encode():
        return True
    hosts, scheme = _all(scope, b"host"), scope.get("scheme", "http")
    at_host = [_normal(f"{_SCHEMES.get(scheme, scheme)}://".encode() + host) for host in hosts]
    is_on_this_machine = not has_sign_in or _is_local(public_origin())
    return is_on_this_machine and at_host == [asked] and _is_local(asked.decode("latin-1"))


def _is_local(origin: str) -> bool:
    try:
        return is_loopback(urlsplit(origin).hostname or "")
    except ValueError:
        return False


def public_origin() -> str:
    """Return the origin of PUBLIC_URL."""
    return origin_of(get_settings().public_url)


def _writes(scope: Scope) -> bool:
    is_request = scope["type"] == "http" and scope["method"] not in READING
    return is_request or scope["type"] == "websocket"


def _all(scope: Scope, name: bytes) -> list[bytes]:
    return [value for key, value in scope["headers"] if key == name]


def _normal(origin: bytes) -> bytes:
    """Return an origin in lower case and without its default port."""
    small = origin.lower()
    for scheme, port in _DEFAULT_PORTS.items():
        if small.startswith(scheme):
            return small.removesuffix(port)
    return small


def _at_its_origin(scope: Scope, origin: bytes) -> Scope:
    """Set Host to the host of Origin, because Streamlit compares them letter by letter.

    If they differ, as behind a proxy, Streamlit asks an outside service for this machine's address,
    serves no one in the meantime, and then refuses.
    """
    others = [(key, value) for key, value in scope["headers"] if key != b"host"]
    return {**scope, "headers": [(b"host", origin.partition(b"://")[2]), *others]}


async def _refuse(origins: list[bytes], scope: Scope, receive: Receive, send: Send) -> None:
    own = public_origin() if get_settings().has_sign_in else "the address of this machine"
    asked = b", ".join(one[:100] for one in origins[:2])
    what = (scope.get("method", "WebSocket"), scope["path"], asked, own)
    logger.warning("Refused %s %s: its origin is %r, not %s", *what)
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})  # before accept: this is a 403
        return
    sentence = "A page at another address sent this request. Open Order Desk at its own address."
    await refuse_json(sentence, 403)(scope, receive, send)
