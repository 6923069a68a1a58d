"""Requests that are too long to be read: refused before anything reads them."""

import time
from http import cookies

import pytest

from pages.guards import RequestLimits
from tests.pages.asked import Answer, Headers, ask

BACKSLASHES = '"' + "\\" * 5_000 + '"'


def asked(headers: Headers = (), query: str = "", scheme: str = "http") -> Answer:
    return ask(RequestLimits, "/orders", headers=headers, query=query, scheme=scheme)


@pytest.mark.parametrize(
    "headers",
    [
        [("cookie", f"a={BACKSLASHES}")],
        [("cookie", "a=" + "x" * 33_000)],
        [("cookie", "a=" + "x" * 20_000), ("cookie", "b=" + "x" * 20_000)],
        [("x-any", "x" * 130_000)],
        [(f"x-any-{number}", "x" * 1_000) for number in range(130)],
    ],
)
@pytest.mark.parametrize("scheme", ["http", "ws"])
def test_headers_that_are_too_long_are_refused(headers: Headers, scheme: str) -> None:
    answer = asked(headers, scheme=scheme)
    assert not answer.is_passed_on
    assert answer.status == (431 if scheme == "http" else 403)


def test_an_address_that_is_too_long_is_refused() -> None:
    assert asked(query="error_description=" + "://a:" * 30_000).status == 431


def test_what_pages_send_is_passed_on() -> None:
    chunks = "; ".join(f"_streamlit_user_{number}={'x' * 3_900}" for number in range(6))
    escaped = 'theirs="a\\054b\\"c"'
    assert asked([("cookie", f"{chunks}; {escaped}")], query="view=" + "x" * 60_000).is_passed_on


def test_cookies_that_are_passed_on_are_read_fast() -> None:
    worst = '"' + "x" * 31_000 + "\\" * 100 + '"'
    assert asked([("cookie", f"a={worst}")]).is_passed_on
    begin = time.process_time()
    cookies._unquote(worst)
    assert time.process_time() - begin < 0.1
