"""The security headers of every response: framing, referrers, content types, HTTPS."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.ground import get_settings

# For pages: Streamlit needs its own scripts and styles, and frames the grid from this origin.
PAGES = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # an address may hold a token or an order's ID
    "Content-Security-Policy": "frame-ancestors 'self'; object-src 'none'; base-uri 'self'",
    "X-Frame-Options": "SAMEORIGIN",
    "Cross-Origin-Resource-Policy": "same-origin",
}
HTTPS_ONLY = "max-age=31536000"


def is_behind_tls(scope: Scope) -> bool:
    """Return whether people use HTTPS, which ends at this server or at a proxy before it."""
    settings = get_settings()
    is_public = settings.has_sign_in and settings.public_url.startswith("https://")
    return is_public or scope["scheme"] in ("https", "wss")


class SecurityHeaders:
    """Adds missing security headers; over HTTPS also Strict-Transport-Security."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and complete the headers of its response."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in PAGES.items():
                    headers.setdefault(name, value)
                if is_behind_tls(scope):
                    headers.setdefault("Strict-Transport-Security", HTTPS_ONLY)
            await send(message)

        await self.app(scope, receive, send_with_headers)
