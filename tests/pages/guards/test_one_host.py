"""A request names one host: none, two or a strange one are refused before anything uses them."""

import pytest

from pages.guards import OneHost
from tests.pages.asked import Answer, Headers, ask

NONE: Headers = []
OWN = ("host", "desk.helios.example")
REFUSED: list[Headers] = [
    NONE,
    [OWN, ("host", "evil.example")],
    [OWN, OWN],
    [("Host", "desk.helios.example"), ("host", "desk.helios.example")],
    [OWN, ("host", "")],
    *(
        [("host", text)]
        for text in (
            "",
            " ",
            "desk helios",
            "desk\x00",
            "desk\x7f",
            "desk\x85",
            "\tdesk",
            "desk\r\nX-Any: 1",
            "dësk",
            "user@desk",
            "desk/orders",
            "desk?x",
            "desk#x",
            "desk\\x",
            "a,b",
            "a;b",
            "desk:",
            "desk:80:80",
            "desk:port",
            "desk:123456",
            ":8501",
            "::1",
            "[::1",
            "[desk]",
            "http://desk",
            "x" * 301,
        )
    ),
]
PASSED = [
    "localhost",
    "localhost:8501",
    "127.0.0.1:8501",
    "[::1]:8501",
    "[::ffff:127.0.0.1]",
    "desk.helios.example",
    "DESK.helios.example.:443",
    "xn--dsk-jma.example",
    "order_desk:8501",
    "x" * 253,
]


def asked(headers: Headers, scheme: str = "http") -> Answer:
    return ask(OneHost, "/orders", headers=headers, host=None, scheme=scheme)


@pytest.mark.parametrize("scheme", ["http", "https", "ws", "wss"])
@pytest.mark.parametrize("headers", REFUSED)
def test_a_request_without_one_clear_host_is_refused(headers: Headers, scheme: str) -> None:
    answer = asked(headers, scheme)
    assert not answer.is_passed_on
    assert answer.status == (400 if scheme.startswith("http") else 403)


@pytest.mark.parametrize("host", PASSED)
def test_a_request_with_one_host_is_passed_on(host: str) -> None:
    assert asked([("host", host)]).is_passed_on
    assert asked([("accept", "*/*"), ("host", host)], "ws").is_passed_on


@pytest.mark.parametrize("headers", [REFUSED[1], [("host", "a,b")]])
def test_without_the_guard_two_hosts_would_be_read_as_one(headers: Headers) -> None:
    answer = ask(lambda app: app, headers=headers, host=None)
    assert answer.is_passed_on
