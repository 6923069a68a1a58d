"""Order Desk below a path of a site: every route of ours is there, and nowhere else."""

from collections.abc import Callable, Iterator

import httpx
import pytest
from starlette.routing import Route

from tests.conftest import use_database
from tests.pages.routes.test_routes import WINDOW, sign
from tests.pages.routes.whole import BROWSER, COOKIE, Whole, whole_application
from tests.rows import make_order

INDEX = '<div id="root">'  # in Streamlit's page, which it gives for every unknown path
# What the routes answer without a token; no worker runs, and metrics are off.
STATUS = {"/healthz": 200, "/readyz": 503, "/metrics": 404}
NO_TOKEN = 401


@pytest.fixture(scope="module", params=["", "/desk", "/a/desk"])
def base(request: pytest.FixtureRequest) -> str:
    """Choose the path."""
    return str(request.param)


@pytest.fixture(scope="module")
def whole(make_database: Callable[[str], str], base: str) -> Iterator[Whole]:
    """Run the application below the path, with one order."""
    use_database(make_database("sqlite"))
    make_order("OD-1")
    with whole_application(base) as whole:
        yield whole


@pytest.fixture
def client(whole: Whole, base: str) -> Iterator[httpx.Client]:
    """Ask below the path."""
    with whole.client(base, **{COOKIE: BROWSER}) as client:
        yield client


def own_routes(whole: Whole, base: str) -> dict[str, str]:
    """Return the methods of our routes by their paths, but that of the path itself."""
    routes = [one for one in whole.app._user_routes if isinstance(one, Route)]  # type: ignore[attr-defined]
    methods = {one.path: min(one.methods or (), default="") for one in routes if one.path != base}
    return {path.format(table="orders", delivery_id="x"): one for path, one in methods.items()}


def test_every_own_route_answers_below_the_path_and_not_beside_it(whole: Whole, base: str) -> None:
    routes = own_routes(whole, base)
    assert len(routes) >= 8
    with whole.client() as client:
        for path, method in routes.items():
            assert path.startswith(f"{base}/")
            answer = client.request(method, path)
            assert answer.status_code == STATUS.get(path.removeprefix(base), NO_TOKEN), path
            assert INDEX not in answer.text
            if base:
                assert client.request(method, path.removeprefix(base)).status_code == 404, path


def test_without_a_setting_nobody_gets_metrics(client: httpx.Client) -> None:
    for token in ("", "None", "x"):
        answer = client.get("/metrics", headers={"Authorization": f"Bearer {token}"})
        assert (answer.status_code, list(answer.json())) == (404, ["error"])


def test_an_unknown_path_is_streamlits_page(client: httpx.Client) -> None:
    """Show what a route that is not below the path would be."""
    answer = client.get("/nothing-of-ours")
    assert (answer.status_code, INDEX in answer.text) == (200, True)


def test_tokens_are_taken_below_the_path_and_hits_lead_below_it(
    client: httpx.Client, base: str
) -> None:
    rows = {"Authorization": f"Bearer {sign('rows')}"}
    assert client.post("/rows/orders", json=WINDOW, headers=rows).status_code == 200
    assert client.get("/export/orders", params={"token": sign("export")}).content[:2] == b"PK"
    search = {"Authorization": f"Bearer {sign('search')}"}
    groups = client.post("/search", json={"text": "OD-1"}, headers=search).json()["groups"]
    addresses = [hit["address"] for group in groups for hit in group["hits"]]
    assert f"{base}/order?order=OD-1" in addresses
    assert all(one.startswith(f"{base}/") for one in addresses)


def test_a_refusal_leads_back_below_the_path(client: httpx.Client, base: str) -> None:
    for path in ("/export/orders", "/vouchers", "/messages/x"):
        assert f'href="{base}/"' in client.get(path).text


def test_files_scripts_and_cookies_are_below_the_path(whole: Whole, base: str) -> None:
    with whole.client(base) as stranger:
        page = stranger.get("/orders", headers={"Accept": "text/html"})
        assert f"Path={base or '/'};" in page.headers["set-cookie"]
        script = page.text.partition('<script src="./')[2].partition('"')[0]
        answer = stranger.get(f"/{script}")
        assert answer.headers["content-type"].startswith("text/javascript")
        assert stranger.get("/app/static/logo.svg").headers["content-type"] == "image/svg+xml"
        if base:
            assert stranger.get("/orders/").headers["location"] == f"{base}/orders"


def test_the_files_of_the_grid_are_there_before_this_process_has_drawn_one(
    whole: Whole, client: httpx.Client
) -> None:
    path = "/component/st_aggrid.AgGrid.agGrid/index.html"
    answer = client.get(path)
    assert (answer.status_code, "unsafe-eval" in answer.headers["content-security-policy"]) == (
        200,
        True,
    )
    registry = whole.app._runtime.component_registry  # type: ignore[attr-defined]
    known = dict(registry._components)
    registry._components.clear()  # as a start leaves it that registers nothing
    assert client.get(f"{path}?again", headers={"Accept-Encoding": "br"}).status_code == 404
    registry._components.update(known)
