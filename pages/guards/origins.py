"""Who may write, or open a WebSocket, in a browser's name: our own pages alone.

A browser sends its cookies whichever page asks, and names that page's site in the header Origin,
which no page can change. A request without Origin comes from no page of another site: from a
script, a health check or a test, which has no cookies but its own. So it is let through, and is
nobody until it signs in.
"""

import logging
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from core.ground import get_settings, is_loopback, origin_of
from pages.web import refuse_json

logger = logging.getLogger(__name__)

MAX_LENGTH = 300  # a host's name has 253 characters at most
READING = {"GET", "HEAD", "OPTIONS"}
_USUAL_PORTS = {b"http://": b":80", b"https://": b":443"}
_SCHEMES = {"ws": "http", "wss": "https"}


class OwnOrigin:
    """Refuses with 403 what a page of another site, or several at once, asks for.

    It comes first: before it nobody has read a body, looked at a cookie or asked the database.
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
    """Say whether an Origin is ours: that of PUBLIC_URL, on this machine also that of Host.

    Elsewhere Host says nothing: a proxy may change it, and whoever rebinds a name chooses it.
    """
    if len(origin) > MAX_LENGTH:
        return False
    asked, has_sign_in = _plain(origin), get_settings().has_sign_in
    if has_sign_in and asked == public_origin().encode():
        return True
    hosts, scheme = _all(scope, b"host"), scope.get("scheme", "http")
    at_host = [_plain(f"{_SCHEMES.get(scheme, scheme)}://".encode() + host) for host in hosts]
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


def _plain(origin: bytes) -> bytes:
    """Write an origin in small letters and without its usual port."""
    small = origin.lower()
    for scheme, port in _USUAL_PORTS.items():
        if small.startswith(scheme):
            return small.removesuffix(port)
    return small


def _at_its_origin(scope: Scope, origin: bytes) -> Scope:
    """Have Host say what Origin says: Streamlit compares them, letter by letter.

    Where they differ, as behind a proxy, it asks an outside service for this machine's address,
    answers nobody meanwhile, and then refuses.
    """
    others = [(key, value) for key, value in scope["headers"] if key != b"host"]
    return {**scope, "headers": [(b"host", origin.partition(b"://")[2]), *others]}


async def _refuse(origins: list[bytes], scope: Scope, receive: Receive, send: Send) -> None:
    own = public_origin() if get_settings().has_sign_in else "the address of this machine"
    asked = b", ".join(one[:100] for one in origins[:2])
    what = (scope.get("method", "WebSocket"), scope["path"], asked, own)
    logger.warning("%s %s refused: it came from a page of %r, and not of %s", *what)
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})  # 403, as it was not accepted
        return
    sentence = "A page of another address asked for this. Open Order Desk at its own address."
    await refuse_json(sentence, 403)(scope, receive, send)
