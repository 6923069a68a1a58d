"""What an operator sees: whether it is ready, and how it ends while money is on its way."""

import json
import signal
import socket
import struct
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from core import access
from tests.conftest import use_database
from tests.core.books import check_books
from tests.core.refunds.worker_deaths import changed
from tests.e2e.conftest import OpenDesk
from tests.e2e.desk import confirm_refund
from tests.e2e.servers import Server, running, serving
from tests.e2e.slow_card import CARD, SlowCard, answering_slowly
from tests.e2e.test_refunds import make_paid_order, open_dialog
from tests.e2e.waiting import expect

END_SECONDS = 5


@pytest.fixture
def provider() -> Iterator[SlowCard]:
    """Run a slow card provider for a test, and let every process that the test starts use it."""
    with answering_slowly("OD-SLOW") as card:
        yield card


@pytest.fixture
def database(make_database: Callable[[str], str], kind: str) -> str:
    """Give a database with one order that was paid by card."""
    url = make_database(kind)
    use_database(url)
    make_paid_order("OD-SLOW", {}, **CARD)
    return url


def refund_and_end(open_tab: OpenDesk, server: Server, provider: SlowCard) -> None:
    """Refund in the browser, and end the server while the provider is being asked."""
    desk = open_tab(server, fresh=True).open_order("OD-SLOW")
    confirm_refund(open_dialog(desk, 0))
    assert provider.is_asked.wait(15)
    server.process.send_signal(signal.SIGTERM)
    server.process.wait(END_SECONDS)
    desk.page.close()


def test_refund_in_flight_is_recorded_before_the_server_ends(
    open_tab: OpenDesk, database: str, provider: SlowCard, data_dir: Path
) -> None:
    with serving(database, data_dir) as server:
        refund_and_end(open_tab, server, provider)
    assert server.query("SELECT status FROM refunds") == ["succeeded"]
    assert server.query("SELECT status FROM order_items") == ["refunded"]
    assert len(provider.keys) == 1
    check_books()


def test_refund_whose_provider_hangs_is_cut_off_whole_and_settled_once_after_the_next_start(
    open_tab: OpenDesk, database: str, provider: SlowCard, data_dir: Path
) -> None:
    provider.is_hanging = True
    with serving(database, data_dir) as server:
        refund_and_end(open_tab, server, provider)
    assert server.query("SELECT status FROM order_items") == ["refund_requested"]
    check_books()
    provider.is_hanging = False
    is_refunded = "SELECT count(*) FROM refunds WHERE status = 'succeeded'"
    with serving(database, data_dir) as again:
        again.wait_until(lambda: again.query(is_refunded) == [1])
    assert set(provider.keys) == {provider.keys[0]}
    check_books()


def test_worker_of_its_own_ends_in_time_while_the_provider_hangs(
    open_tab: OpenDesk, database: str, provider: SlowCard, data_dir: Path
) -> None:
    provider.is_hanging = True
    with (
        changed({"RUN_WORKER": "false"}),
        running("core", "worker") as worker,
        serving(database, data_dir) as server,
    ):
        desk = open_tab(server, fresh=True).open_order("OD-SLOW")
        confirm_refund(open_dialog(desk, 0))
        assert provider.is_asked.wait(15)
        for process in (worker, server.process):
            process.send_signal(signal.SIGTERM)
        for process in (worker, server.process):
            process.wait(END_SECONDS)
        desk.page.close()
    assert server.query("SELECT status FROM order_items") == ["refund_requested"]
    check_books()


def said_by(server: Server) -> tuple[int, str]:
    answer = httpx.get(f"{server.url}/readyz")
    return answer.status_code, answer.json()["status"]


def expect_said(server: Server, status: int, words: str) -> None:
    server.wait_until(lambda: said_by(server) == (status, words))


def test_readyz_names_the_worker_that_is_missing_silent_or_back(
    database: str, data_dir: Path
) -> None:
    with changed({"RUN_WORKER": "false"}), serving(database, data_dir, status=503) as server:
        missing = "no worker has been started: python -m core worker"
        expect_said(server, 503, missing)
        with running("core", "worker") as worker:
            server.wait_for_status(200)
            assert said_by(server) == (200, "ready")
            worker.terminate()
            assert worker.wait(END_SECONDS) == 0
        long_ago = datetime.now(UTC) - timedelta(minutes=3)
        server.execute(f"UPDATE database_facts SET value = '{long_ago.isoformat()}'")
        heard = f"no heartbeat from a worker since {long_ago:%Y-%m-%d %H:%M:%S} UTC"
        expect_said(server, 503, heard)


def test_readyz_is_ready_while_its_own_worker_is_held_up_by_a_slow_provider(
    open_tab: OpenDesk, database: str, provider: SlowCard, data_dir: Path
) -> None:
    with serving(database, data_dir) as server:
        desk = open_tab(server, fresh=True).open_order("OD-SLOW")
        confirm_refund(open_dialog(desk, 0))
        assert provider.is_asked.wait(15)
        assert said_by(server) == (200, "ready")
        desk.page.close()


def test_a_request_that_never_ends_does_not_hold_up_the_end(database: str, data_dir: Path) -> None:
    with serving(database, data_dir) as server:
        where = ("127.0.0.1", int(server.url.rsplit(":", 1)[1]))
        half = b"POST /rows/orders HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{"
        with socket.create_connection(where) as client:
            client.sendall(half)
            server.wait_for_status(200)  # by now it has been read
            server.process.send_signal(signal.SIGTERM)
            server.process.wait(END_SECONDS)


def _request(server: Server, first: str, *headers: str) -> bytes:
    host = f"localhost:{server.port}"
    own = (f"{first} HTTP/1.1", f"Host: {host}", f"Origin: http://{host}")
    return "\r\n".join([*own, *headers, "", ""]).encode()


def _leave(server: Server, request: bytes, *, answered: bool, by_reset: bool) -> None:
    """Send a request, and break off while it is being answered."""
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        if by_reset:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.sendall(request)
        if answered:
            assert client.recv(12) == b"HTTP/1.1 101"
        server.wait_for_status(200)  # by now it has been read


def test_clients_that_leave_are_no_errors_in_the_log(database: str, data_dir: Path) -> None:
    with serving(database, data_dir, LOG_LEVEL="info") as server:
        local = access.find_local_actor()
        assert local is not None
        token = access.issue_token("rows", table="orders", actor=local, browser="x")
        proof = f"Authorization: Bearer {token}", "Cookie: order_desk_browser=x"
        half = _request(server, "POST /rows/orders", *proof, "Content-Length: 9") + b"{"
        key = "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
        upgrade = "Connection: Upgrade", "Upgrade: websocket"
        opened = _request(server, "GET /_stcore/stream", *upgrade, *key)
        for by_reset in (False, True):
            _leave(server, half, answered=False, by_reset=by_reset)
            _leave(server, opened, answered=True, by_reset=by_reset)
        left = "POST /rows/orders: the client has left"
        server.wait_until(lambda: server.log.read_text().count(left) == 2)
    log = server.log.read_text()
    assert "Traceback" not in log
    assert " ERROR " not in log


def lines_of(server: Server) -> list[dict[str, str]]:
    """Read the log, of which each line is a record."""
    return [json.loads(line) for line in server.log.read_text().splitlines()]


def test_log_in_json_has_the_id_of_header_and_page_and_no_token(
    open_tab: OpenDesk, database: str, data_dir: Path
) -> None:
    wanted: dict[str, Any] = {"LOG_FORMAT": "json", "LOG_LEVEL": "info"}
    wanted |= {"STREAMLIT_LOGGER_HIDE_WELCOME_MESSAGE": "true"}  # as the unit of deploy/
    # With a mail server, the page says whether sending is paused.
    wanted |= {"SMTP_HOST": "localhost", "MAIL_FROM": "desk@helios.example"}
    with serving(database, data_dir, **wanted) as server:
        refused = httpx.get(f"{server.url}/export/orders?token=eyJhc2VjcmV0")
        server.execute("INSERT INTO database_facts VALUES ('mail_paused', '{')")
        desk = open_tab(server, fresh=True)
        desk.page.goto(f"{server.url}/emails", wait_until="commit")
        said = desk.page.get_by_text("The error is logged as")
        expect(said).to_be_visible()
        reference = said.inner_text().partition("logged as ")[2][:8]
        desk.page.close()
    lines = lines_of(server)
    assert "eyJhc2VjcmV0" not in server.log.read_text()
    of_refused = [one for one in lines if one["request"] == refused.headers["x-request-id"]]
    (answered,) = [one for one in of_refused if "route" in one]
    assert answered["message"].startswith("GET /export/orders answered with 401 in ")
    asked = [answered[name] for name in ("route", "status", "user", "process")]
    assert asked == ["/export/{table}", 401, None, server.process.pid]
    (failed,) = [one for one in lines if one["request"] == reference and "error" in one]
    assert (failed["level"], failed["logger"]) == ("error", "pages.shell.frame")
    assert failed["error"].startswith("Traceback")
    loggers = {one["logger"] for one in lines}
    assert "uvicorn.error" in loggers
    assert "uvicorn.access" not in loggers  # ours say more
