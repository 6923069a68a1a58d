"""The headers that every answer carries: who may frame it, what leaks, what a browser guesses."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.ground import get_settings

# Of the pages: Streamlit needs scripts and styles of its own, and frames the grid from here.
USUAL = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # an address may hold a token or an order's ID
    "Content-Security-Policy": "frame-ancestors 'self'; object-src 'none'; base-uri 'self'",
    "X-Frame-Options": "SAMEORIGIN",
    "Cross-Origin-Resource-Policy": "same-origin",
}
HTTPS_ONLY = "max-age=31536000"


def is_behind_tls(scope: Scope) -> bool:
    """Say whether people come by HTTPS, whoever ends it: this server, or a proxy before it."""
    settings = get_settings()
    is_public = settings.has_sign_in and settings.public_url.startswith("https://")
    return is_public or scope["scheme"] in ("https", "wss")


class SecurityHeaders:
    """Adds what an answer does not say itself; over HTTPS also that it is to stay so."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and complete the headers of its answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in USUAL.items():
                    headers.setdefault(name, value)
                if is_behind_tls(scope):
                    headers.setdefault("Strict-Transport-Security", HTTPS_ONLY)
            await send(message)

        await self.app(scope, receive, send_with_headers)
