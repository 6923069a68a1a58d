"""What Streamlit tells of itself: nothing to a stranger, and to the page what it needs."""

import json

import pytest
from streamlit import config
from streamlit.web.server.starlette import starlette_agent_routes, starlette_routes

from pages.guards import ClosedDoors
from pages.guards.closed_doors import LEAST
from tests.pages.asked import ask

INSIDE = [
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
@pytest.mark.parametrize("path", INSIDE)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST"])
def test_what_is_inside_is_not_there_for_anybody(base: str, path: str, method: str) -> None:
    answer = ask(lambda app: ClosedDoors(app, base), f"{base}/{path}", method=method)
    assert answer.status == 404
    assert not answer.is_let_through
    assert json.loads(answer.body) == {"error": "There is nothing here."}


@pytest.mark.parametrize("base", ["", "/desk"])
@pytest.mark.parametrize(
    "path",
    ["/", "/orders", "/_stcore/health", "/_stcore/upload_file/a/b", "/static/js/a.js", "/media/x"],
)
def test_what_the_page_asks_for_is_let_through(base: str, path: str) -> None:
    assert ask(lambda app: ClosedDoors(app, base), base + path).is_let_through


@pytest.mark.parametrize("base", ["", "/desk"])
def test_the_connection_of_the_page_is_let_through(base: str) -> None:
    asked = ask(lambda app: ClosedDoors(app, base), f"{base}/_stcore/stream", scheme="ws")
    assert asked.is_let_through


@pytest.mark.parametrize("base", ["", "/desk"])
def test_of_the_hosts_configuration_the_page_gets_the_least(base: str) -> None:
    answer = ask(lambda app: ClosedDoors(app, base), f"{base}/_stcore/host-config")
    assert (answer.status, json.loads(answer.body)) == (200, LEAST)
    for origin in config.get_option("client.allowedOrigins"):
        assert origin.encode() not in answer.body
