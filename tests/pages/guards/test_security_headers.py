"""The header for HTTPS; tests/e2e checks the other headers on a running server."""

import asyncio

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from pages.guards import SecurityHeaders

APP = Starlette(
    routes=[Route("/", lambda _request: PlainTextResponse("here"))],
    middleware=[Middleware(SecurityHeaders)],
)


@pytest.mark.parametrize(("scheme", "said"), [("https", "max-age=31536000"), ("http", None)])
def test_only_over_https_a_browser_is_told_to_keep_to_https(scheme: str, said: str | None) -> None:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(APP)
        async with httpx.AsyncClient(transport=transport, base_url=f"{scheme}://desk") as client:
            return await client.get("/")

    headers = asyncio.run(ask()).headers
    assert headers.get("strict-transport-security") == said
    assert headers["referrer-policy"] == "same-origin"
