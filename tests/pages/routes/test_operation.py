"""What an operator asks a process: whether it lives, whether it can serve, and its metrics."""

import math
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from core import access, readiness, worker
from core.access.actors import LOCAL_USER_ID
from core.tables import TABLES
from tests.conftest import free_port, use_database
from tests.pages.routes.test_routes import sign
from tests.pages.routes.whole import BROWSER, COOKIE, Whole, whole_application
from tests.rows import make_order

TOKEN = "wIx9-kQ2vP_r7ZtB4mLs"
RULES = Path(__file__).parents[3] / "deploy/prometheus/alerts.yml"
PATIENCE_SECONDS = 10


@pytest.fixture(scope="module")
def port() -> int:
    """Choose a port for the metrics."""
    return free_port()


@pytest.fixture(scope="module")
def whole(make_database: Callable[[str], str], port: int) -> Iterator[Whole]:
    """Run the application with metrics and one order."""
    use_database(make_database("sqlite"))
    make_order()
    with whole_application(METRICS_TOKEN=TOKEN, METRICS_PORT=str(port)) as whole:
        yield whole


@pytest.fixture
def client(whole: Whole) -> Iterator[httpx.Client]:
    """Ask as a browser that has its cookie."""
    with whole.client(**{COOKIE: BROWSER}) as client:
        yield client


Sample = tuple[str, frozenset[tuple[str, str]]]


def parsed(text: str) -> dict[Sample, float]:
    """Read the metrics as Prometheus does: each sample by its name and labels."""
    return {
        (one.name, frozenset(one.labels.items())): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def metrics(client: httpx.Client, token: str = TOKEN) -> Mapping[Sample, float]:
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert answer.headers["cache-control"] == "no-store"
    return parsed(answer.text)


def value(found: Mapping[Sample, float], name: str, **labels: str) -> float:
    return found.get((f"order_desk_{name}", frozenset(labels.items())), math.nan)


def test_a_process_says_that_it_lives_whatever_is_missing(client: httpx.Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})
    assert client.head("/healthz").status_code == 200


def wait_until_said(client: httpx.Client, status: int, said: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (answer := client.get("/readyz")).json() != {"status": said}:
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.02)
    assert answer.status_code == status


def test_readiness_names_its_reason(client: httpx.Client) -> None:
    missing = "no worker has been started: python -m core worker"
    wait_until_said(client, 503, missing)
    begin = time.monotonic()
    for _ in range(20):
        assert client.get("/readyz").json() == {"status": missing}
    assert time.monotonic() - begin < readiness.EVERY_SECONDS  # from memory


@pytest.mark.parametrize("token", ["", "x", TOKEN[:-1], f"{TOKEN}x", TOKEN.lower(), "é"])
def test_metrics_are_for_whoever_has_the_token(client: httpx.Client, token: str) -> None:
    asked: list[dict[bytes, bytes]] = [{}, {b"Authorization": f"Bearer {token}".encode()}]
    for headers in asked:
        answer = client.get("/metrics", headers=headers)
        assert (answer.status_code, list(answer.json())) == (401, ["error"])
        assert "order_desk_" not in answer.text
    assert client.get("/metrics", params={"token": TOKEN}).status_code == 401
    assert metrics(client)


def test_requests_are_counted_by_route_and_table_with_their_time(client: httpx.Client) -> None:
    rows = {"route": "/rows/{table}", "table": "orders"}
    before = metrics(client)

    def more(name: str, **labels: str) -> float:
        was = value(before, name, **labels)
        return value(metrics(client), name, **labels) - (0 if math.isnan(was) else was)

    bearer = {"Authorization": f"Bearer {sign('rows')}"}
    body = {"view": {}, "start": 0, "end": 50}
    assert client.post("/rows/orders", json=body, headers=bearer).status_code == 200
    assert client.post("/rows/orders", json=body).status_code == 401
    assert more("requests_total", **rows, status="200") == 1
    assert more("requests_total", **rows, status="401") == 1
    assert more("request_seconds_count", **rows) == 2
    assert 0 < more("request_seconds_sum", **rows) < 10
    assert more("request_seconds_bucket", **rows, le="+Inf") == 2
    assert value(metrics(client), "requests_in_progress", route="/rows/{table}") == 0
    assert value(metrics(client), "requests_in_progress", route="/metrics") == 1


def test_addresses_of_strangers_make_no_new_series(client: httpx.Client) -> None:
    for number in range(20):
        client.get(f"/export/made-up-{number}")
        client.post(f"/rows/made-up-{number}", json={})
        client.get(f"/messages/made-up-{number}")
    found = metrics(client)
    tables = {dict(labels)["table"] for _name, labels in found if "table" in dict(labels)}
    assert tables <= {"", "other", "order", *TABLES}
    routes = {dict(labels)["route"] for _name, labels in found if "route" in dict(labels)}
    assert not any("made-up" in route for route in routes)
    assert (
        value(found, "requests_total", route="/export/{table}", table="other", status="401") >= 20
    )


@pytest.mark.parametrize("more", ["", "order_desk_twice 1\norder_desk_twice 1\n", "order desk\n"])
def test_prometheus_itself_reads_them(client: httpx.Client, more: str) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.fail("There is no promtool: run sh tests/install_system_packages.sh")
    text = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).text
    command = [promtool, "check", "metrics"]
    done = subprocess.run(command, input=text + more, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) is (more == ""), done.stderr


def test_the_state_of_process_and_work_is_among_the_metrics(client: httpx.Client) -> None:
    found = metrics(client)
    for name in ("open_refunds", "queued_mails", "mail_paused", "import_running"):
        assert value(found, name) == 0
    assert value(found, "pool_connections_in_use") <= value(found, "pool_connections_max")
    assert value(found, "ready") in (0, 1)
    assert value(found, "sign_ins_refused_total") >= 0
    assert found["process_resident_memory_bytes", frozenset()] > 0


def test_metrics_are_read_at_a_port_of_their_own(whole: Whole, port: int) -> None:
    found = parsed(httpx.get(f"http://127.0.0.1:{port}/metrics").text)
    assert value(found, "open_refunds") == 0


def test_metrics_hold_nothing_of_orders_and_people(client: httpx.Client) -> None:
    text = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).text
    for one in ("@", LOCAL_USER_ID, access.LOCAL_USER_EMAIL, TOKEN, "OD-"):
        assert one not in text


def test_every_metric_that_a_rule_reads_is_there(whole: Whole, client: httpx.Client) -> None:
    worker._store_heartbeat(datetime.now(UTC))
    there = {name for name, _labels in metrics(client)}
    read = set(re.findall(r"order_desk_\w+", RULES.read_text()))
    assert read - there == set()
    assert len(read) >= 9
    assert {"order_desk_none"} - there  # a name that is not there is found
