"""Streamlit's internal routes: hidden, except for those that the page needs."""

import json

import pytest
from streamlit import config
from streamlit.web.server.starlette import starlette_agent_routes, starlette_routes

from pages.guards import InternalRoutes
from pages.guards.closed_doors import MINIMAL_HOST_CONFIG
from tests.pages.asked import ask

INTERNAL = [
    starlette_routes.ROUTE_METRICS,
    starlette_routes.ROUTE_SCRIPT_HEALTH,
    starlette_agent_routes._ROUTE_AGENT_SCHEMA,
    starlette_agent_routes._ROUTE_AGENT_INTERACT,
    starlette_agent_routes._ROUTE_AGENT_MCP,
    "_stcore",
    "_stcore/",
    "_stcore/bidi-components/x/index.js",
    "_stcore/what-a-later-version-adds",
    "_stcore/health/more",
    "_stcore/upload_file",
]


@pytest.mark.parametrize("base", ["", "/desk"])
@pytest.mark.parametrize("path", INTERNAL)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST"])
def test_internal_routes_are_not_found(base: str, path: str, method: str) -> None:
    answer = ask(lambda app: InternalRoutes(app, base), f"{base}/{path}", method=method)
    assert answer.status == 404
    assert not answer.is_passed_on
    assert json.loads(answer.body) == {"error": "Not found."}


@pytest.mark.parametrize("base", ["", "/desk"])
@pytest.mark.parametrize(
    "path",
    ["/", "/orders", "/_stcore/health", "/_stcore/upload_file/a/b", "/static/js/a.js", "/media/x"],
)
def test_routes_that_the_page_needs_are_passed_on(base: str, path: str) -> None:
    assert ask(lambda app: InternalRoutes(app, base), base + path).is_passed_on


@pytest.mark.parametrize("base", ["", "/desk"])
def test_the_websocket_of_the_page_is_passed_on(base: str) -> None:
    asked = ask(lambda app: InternalRoutes(app, base), f"{base}/_stcore/stream", scheme="ws")
    assert asked.is_passed_on


@pytest.mark.parametrize("base", ["", "/desk"])
def test_the_host_configuration_is_minimal(base: str) -> None:
    answer = ask(lambda app: InternalRoutes(app, base), f"{base}/_stcore/host-config")
    assert (answer.status, json.loads(answer.body)) == (200, MINIMAL_HOST_CONFIG)
    for origin in config.get_option("client.allowedOrigins"):
        assert origin.encode() not in answer.body
