"""The security headers of every response: content, framing, referrers, content types, HTTPS."""

import base64
import hashlib
from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.file_util import get_static_dir

from core.ground import get_settings
from pages.web import GRID_SCRIPT

PAGES = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # an address may hold a token or an order's ID
    "X-Frame-Options": "SAMEORIGIN",
    "Cross-Origin-Resource-Policy": "same-origin",
}
HTTPS_ONLY = "max-age=31536000"


def _policy(scripts: str, frames: str) -> str:
    """Return a Content-Security-Policy: all is from this server, but for what is named here.

    Inline styles are allowed, because Streamlit and AG Grid place elements with them. Small fonts
    and images are written into their style sheets, as data: addresses.
    """
    return (
        "default-src 'none'; connect-src 'self'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; font-src 'self' data:; worker-src 'none'; object-src 'none'; "
        "form-action 'none'; base-uri 'none'; frame-ancestors 'self'; "
        f"frame-src {frames}; script-src 'self' {scripts}"
    )


def _inline_script() -> str:
    """Return the script that is written in Streamlit's own page."""
    page = (Path(get_static_dir()) / "index.html").read_text("utf-8")
    return page.partition("<script>")[2].partition("</script>")[0]


def _hash(script: str) -> str:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest())
    return f"'sha256-{digest.decode()}'"


# A page frames the grid, and the preview of an e-mail, which is a data: address. Streamlit's own
# scripts include some lines of WebAssembly.
PAGE_POLICY = _policy(f"{_hash(_inline_script())} 'wasm-unsafe-eval'", frames="'self' data:")
# The component of the grid makes functions of texts that the page sends, so it needs eval. It
# writes our script into its page: no other one may be inline.
GRID_POLICY = _policy(f"{_hash(GRID_SCRIPT)} 'unsafe-eval'", frames="'none'")


def is_behind_tls(scope: Scope) -> bool:
    """Return whether people use HTTPS, which ends at this server or at a proxy before it."""
    settings = get_settings()
    is_public = settings.has_sign_in and settings.public_url.startswith("https://")
    return is_public or scope["scheme"] in ("https", "wss")


class SecurityHeaders:
    """Adds missing security headers; over HTTPS also Strict-Transport-Security."""

    def __init__(self, app: ASGIApp, base: str) -> None:
        """Serve under the path `base`: empty, or for example /desk."""
        self.app = app
        self.component = f"{base}/component/"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and complete the headers of its response."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        policy = GRID_POLICY if scope["path"].startswith(self.component) else PAGE_POLICY

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Content-Security-Policy", policy)
                for name, value in PAGES.items():
                    headers.setdefault(name, value)
                if is_behind_tls(scope):
                    headers.setdefault("Strict-Transport-Security", HTTPS_ONLY)
            await send(message)

        await self.app(scope, receive, send_with_headers)
