"""The metrics of a process at a port of their own, and what cannot be counted."""

import logging
import socket

import httpx
import pytest

from pages.web import metrics
from tests.conftest import free_port, use_database

OF_THIS = 'order_desk_requests_in_progress{route="/x"}'


@pytest.fixture(autouse=True)
def away() -> None:
    """Let the database be away: the numbers of the process are there all the same."""
    use_database(f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/none")


def test_a_port_answers_as_long_as_the_process_serves(caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    with metrics.serving_metrics("127.0.0.1", port):
        answer = httpx.get(f"http://127.0.0.1:{port}/metrics")
        assert answer.status_code == 200
        assert "order_desk_ready 0.0" in answer.text
        assert "order_desk_open_refunds" not in answer.text
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/metrics")
    assert not [one for one in caplog.records if one.levelno >= logging.ERROR]


def test_a_port_that_is_taken_is_logged_and_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with metrics.serving_metrics("127.0.0.1", port):
            pass
    (said,) = [one.getMessage() for one in caplog.records if one.levelno == logging.ERROR]
    assert said.startswith(f"METRICS_PORT: {port} cannot be opened: ")


def test_without_a_port_none_is_opened() -> None:
    with metrics.serving_metrics("127.0.0.1", None):
        pass


def test_a_request_is_in_progress_until_it_is_answered_or_fails() -> None:
    def open_ones() -> str:
        text = metrics.render_metrics().decode()
        line = next(one for one in text.splitlines() if one.startswith(OF_THIS))
        return line.rpartition(" ")[2]

    with metrics.in_progress("/x"):
        assert open_ones() == "1.0"
    with pytest.raises(RuntimeError), metrics.in_progress("/x"):
        raise RuntimeError
    assert open_ones() == "0.0"
