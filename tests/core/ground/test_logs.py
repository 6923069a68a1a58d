"""The log: one line per record, with the request ID, and never a secret."""

import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from core.ground import get_settings, logs
from core.ground.logs import JsonLine, TextLine, without_secrets

KEY = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw\n-----END PRIVATE KEY-----"


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Let a test change settings."""
    logs._secrets.cache_clear()
    get_settings.cache_clear()
    yield monkeypatch
    monkeypatch.undo()
    logs._secrets.cache_clear()
    get_settings.cache_clear()


@pytest.mark.parametrize(
    ("said", "secret"),
    [
        ('127.0.0.1 - "GET /export/orders?view=x&token=eyJ1c2Vy.abc.def HTTP/1.1" 200', "eyJ1c2Vy"),
        ("GET /oauth2callback?code=4/0AX4XfWh&state=zXcVbNm HTTP/1.1", "0AX4"),
        ("GET /oauth2callback?code=4/0AX4XfWh&state=zXcVbNm HTTP/1.1", "zXcV"),
        ("client_secret=hunter22&grant=x", "hunter22"),
        ("Authorization: Bearer eyJ1c2Vy.abc", "eyJ1c2Vy"),
        ("Cookie: order_desk_browser=Zm9vYmFy; other=1", "Zm9v"),
        ("connecting to postgresql://desk:s3cr3t@db/orders failed", "s3cr3t"),
        ("connecting to postgresql://desk:s3c@r3t@db/orders failed", "r3t@"),
        ("No such API key: sk_live_51HxAbc", "51Hx"),
        (f"could not read {KEY}", "MC4C"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(sqlite_database: str, said: str, secret: str) -> None:
    assert secret in said
    hidden = without_secrets(said)
    assert secret not in hidden
    assert logs.HIDDEN in hidden


def test_secrets_of_the_settings_are_hidden_everywhere(
    settings: pytest.MonkeyPatch,
) -> None:
    settings.setenv("SMTP_HOST", "mail.example")
    settings.setenv("MAIL_FROM", "desk@mail.example")
    settings.setenv("SMTP_USER", "desk")
    settings.setenv("SMTP_PASSWORD", "correct horse")
    settings.setenv("SIGNING_SECRET", "battery-staple-16+")
    settings.setenv("DATABASE_URL", "postgresql+psycopg://desk:stable%40door@db/orders")
    said = "b'AUTH correct horse' battery-staple-16+ stable@door"
    assert without_secrets(said) == "b'AUTH ***' *** ***"


@pytest.mark.parametrize(
    "said",
    [
        "GET /rows/orders answered with 200",
        "Refunds of batch 0192f are left to the worker: The database cannot be reached.",
        "Delivery 12 waits for its lease: ana@helios.example",
    ],
)
def test_text_without_secrets_is_unchanged(sqlite_database: str, said: str) -> None:
    assert without_secrets(said) == said


def record_of(message: str, *given: object, error: bool = False) -> logging.LogRecord:
    record = logging.LogRecord(
        "core.worker",
        logging.WARNING,
        __file__,
        1,
        message,
        given,
        sys.exc_info() if error else None,
    )
    logs._add_request(record)
    return record


def test_a_json_line_is_one_line_with_all_fields(sqlite_database: str) -> None:
    with logs.with_request_id() as reference:
        try:
            raise ValueError("token=abcdef\nsecond line")
        except ValueError:
            record = record_of("It %s:\nfailed", "really", error=True)
    line = JsonLine().format(record)
    assert "\n" not in line
    said = json.loads(line)
    assert said.pop("time").endswith("+00:00")
    error = said.pop("error")
    assert error.startswith("Traceback")
    assert "abcdef" not in error
    assert said == {
        "level": "warning",
        "logger": "core.worker",
        "process": os.getpid(),
        "message": "It really:\nfailed",
        "request": reference,
    }


FAILS = """
import logging, sys, threading
from core.ground import configure_logs
def fail():
    raise ValueError("token=abcdef\\nnext line")
if sys.argv[1] == "logs":
    configure_logs()
thread = threading.Thread(target=fail, name="import")
thread.start()
thread.join()
"""


@pytest.mark.parametrize("is_configured", [True, False])
def test_what_ends_a_thread_is_one_line_without_secrets(is_configured: bool) -> None:
    command = [sys.executable, "-c", FAILS, "logs" if is_configured else "plain"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (len(done.stderr.splitlines()) == 1) is is_configured
    assert ("abcdef" in done.stderr) is not is_configured
    assert ("The thread import has failed" in done.stderr) is is_configured


def test_a_message_cannot_forge_a_text_line(sqlite_database: str) -> None:
    line = TextLine().format(record_of("GET %s", "/x\n2026-11-24 ERROR core [1] Paid twice"))
    assert "\n" not in line
    assert "/x\\n2026" in line


@pytest.mark.parametrize("forged", ["\n", "\r\n", "\x0b", "\x1b[2K\r", "\x85", "\u2028", "\x00"])
def test_a_traceback_is_on_the_line_of_its_message(sqlite_database: str, forged: str) -> None:
    def fail() -> None:
        raise ValueError(f"bad{forged}2026-11-24 00:00:00 ERROR core [1] Paid twice")

    try:
        fail()
    except ValueError:
        plain = logging.Formatter("%(message)s").format(record_of("It failed", error=True))
        line = TextLine().format(record_of("It failed", error=True))
    assert len(plain.splitlines()) > 3  # as the standard library writes it
    assert line.isprintable()
    assert len(line.splitlines()) == 1
    assert " It failed | Traceback (most recent call last):\\n" in line
    assert line.endswith("ERROR core [1] Paid twice")


LINES = [TextLine(), JsonLine()]
HOSTILE = [
    "://a:",
    "token=",
    "://a:@",
    "cookie: ",
    "-----BEGIN ",
    "-----BEGIN PRIVATE KEY-----",
    "\n",
]


@pytest.mark.parametrize("line", LINES, ids=["text", "json"])
@pytest.mark.parametrize("piece", HOSTILE)
def test_a_hostile_text_is_logged_quickly(
    sqlite_database: str, line: logging.Formatter, piece: str
) -> None:
    record = record_of("Error during authentication: %s", piece * (64_000 // len(piece)))
    begin = time.process_time()
    assert len(line.format(record)) < 25_000  # a line break is escaped as two characters
    assert time.process_time() - begin < 0.5


@pytest.mark.parametrize("line", LINES, ids=["text", "json"])
def test_a_long_message_keeps_its_two_ends(sqlite_database: str, line: logging.Formatter) -> None:
    said = line.format(record_of("%s", f"begin {'x' * 64_000} end"))
    assert "begin xxx" in said
    assert "xxx end" in said
    assert "characters left out" in said
    assert len(said) < 11_000
    whole = line.format(record_of("%s", "x" * 9_000))
    assert "x" * 9_000 in whole
    assert "left out" not in whole


@pytest.mark.parametrize("line", LINES, ids=["text", "json"])
def test_a_long_error_keeps_its_beginning_and_its_message(
    sqlite_database: str, line: logging.Formatter
) -> None:
    try:
        raise ValueError(f"{'x' * 100_000} in the end")
    except ValueError:
        said = line.format(record_of("It failed", error=True))
    assert "Traceback (most recent call last)" in said
    assert "in the end" in said
    assert "characters left out" in said
    assert len(said) < 42_000


@pytest.mark.parametrize(
    "secret",
    [
        f"token={'hunter22' * 100}",
        f"https://desk:{'hunter22' * 100}@db/orders",
        f"Cookie: a={'hunter22' * 100}",
        f"-----BEGIN PRIVATE KEY-----\n{'hunter22' * 100}\n-----END PRIVATE KEY-----",
    ],
)
@pytest.mark.parametrize("most", [logs.MAX_MESSAGE // 2, logs.MAX_SCANNED])
def test_a_cut_leaves_no_part_of_a_secret(sqlite_database: str, secret: str, most: int) -> None:
    for before in range(most - len(secret), most, 97):
        for blank in ("x", "x ", "hunter2 token=y "):
            text = (blank * most)[:before] + " " + secret + " " + "y" * most
            for line in LINES:
                assert "hunter22" not in line.format(record_of("%s", text))


def test_a_cut_before_masking_would_show_part_of_a_secret(
    sqlite_database: str,
) -> None:
    text = "https://desk:hunter22hunter22@db/orders"
    assert "hunter22" in without_secrets(text[:24])


def test_a_cut_leaves_no_part_of_a_secret_of_the_settings(settings: pytest.MonkeyPatch) -> None:
    settings.setenv("SIGNING_SECRET", "correct horse battery staple 16+")
    for before in range(logs.MAX_MESSAGE // 2 - 40, logs.MAX_MESSAGE // 2, 3):
        text = f"{'x' * before}correct horse battery staple 16+{'y' * 20_000}"
        said = TextLine().format(record_of("%s", text))
        assert "correct" not in said
        assert "staple" not in said
    # A text that is too long to scan and is mostly secrets.
    text = "correct horse battery staple 16+ " * 20_000
    assert "correct" not in TextLine().format(record_of("%s", text))


def test_each_request_has_its_own_id_which_nested_work_shares(sqlite_database: str) -> None:
    with logs.with_request_id() as outer:
        with logs.with_request_id() as inner:
            assert record_of("x").request == outer == inner  # type: ignore[attr-defined]
        others: list[str | None] = []
        thread = threading.Thread(target=lambda: others.append(logs._request.get()))
        thread.start()
        thread.join()
    with logs.with_request_id() as later:
        assert later != outer
    assert others == [None]
    assert record_of("x").request is None  # type: ignore[attr-defined]
