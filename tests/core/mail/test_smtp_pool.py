"""Open connections to the mail server: shared by threads, renewed, reopened."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.mail.deliver import smtp
from core.mail.deliver.pool import SmtpPool
from core.mail.deliver.server import Later, Rejected, Result, Sent
from tests.core.mail.mail_server import DROP, HANG, MailServer
from tests.core.mail.mails import RECIPIENT, open_pool, send


def together(threads: int, work: Callable[[int], Result]) -> list[Result]:
    """Run a function in several threads that start at the same moment."""
    gate = threading.Barrier(threads)

    def run(number: int) -> Result:
        gate.wait()
        return work(number)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))


def test_the_next_message_goes_on_the_same_connection(
    smtp_server: MailServer, pool: SmtpPool
) -> None:
    assert all(isinstance(send(pool), Sent) for _ in range(3))
    assert [taken.connection for taken in smtp_server.received] == [1, 1, 1]
    assert smtp_server.commands == {"EHLO": 1, "MAIL": 3, "RCPT": 3, "DATA": 3}
    pool.close()
    assert smtp_server.commands["QUIT"] == 1


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("how", [DROP, HANG, "421 4.4.2 idle for too long"])
def test_a_kept_connection_that_breaks_is_opened_anew_at_once(
    stage: str, how: str, smtp_server: MailServer, pool: SmtpPool
) -> None:
    send(pool)
    smtp_server.fail(stage, how, times=1)
    assert isinstance(send(pool), Sent)
    assert [taken.connection for taken in smtp_server.received] == [1, 2]


def test_a_kept_connection_is_opened_anew_once(smtp_server: MailServer, pool: SmtpPool) -> None:
    send(pool)
    smtp_server.fail("MAIL", DROP)
    assert isinstance(send(pool), Later)
    assert (smtp_server.connections, smtp_server.commands["MAIL"]) == (2, 3)


@pytest.mark.parametrize("last_words", [b"", b"421 4.4.2 Timeout exceeded"])
def test_a_connection_that_the_server_closed_meanwhile_costs_no_try(
    last_words: bytes, smtp_server: MailServer
) -> None:
    with open_pool(smtp_server.describe(connections=3)) as pool:
        together(3, lambda _: send(pool))
        smtp_server.close_connections(last_words)
        assert all(isinstance(send(pool), Sent) for _ in range(3))


def test_threads_share_the_connections(smtp_server: MailServer) -> None:
    smtp_server.delay = 0.005
    with open_pool(smtp_server.describe(connections=3, timeout=5)) as pool:
        results = [*together(12, lambda _: send(pool)), *together(12, lambda _: send(pool))]
    assert all(isinstance(result, Sent) for result in results)
    assert (smtp_server.connections, smtp_server.most_at_once, smtp_server.commands["QUIT"]) == (
        3,
        3,
        3,
    )
    assert len(smtp_server.received) == 24


def test_a_connection_is_renewed_after_some_messages(
    smtp_server: MailServer, pool: SmtpPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "MAX_MESSAGES", 2)
    for _ in range(5):
        assert isinstance(send(pool), Sent)
    assert [taken.connection for taken in smtp_server.received] == [1, 1, 2, 2, 3]
    assert smtp_server.commands["QUIT"] == 2


def test_a_connection_is_renewed_after_some_time(
    smtp_server: MailServer, pool: SmtpPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(pool)
    monkeypatch.setattr(smtp, "MAX_AGE_SECONDS", 0.0)
    assert isinstance(send(pool), Sent)
    assert (smtp_server.connections, smtp_server.commands["QUIT"]) == (2, 1)


@pytest.mark.parametrize("how", [DROP, HANG, "500 never"])
def test_taking_leave_cannot_fail(how: str, smtp_server: MailServer, pool: SmtpPool) -> None:
    send(pool)
    smtp_server.fail("QUIT", how)
    pool.close()
    assert isinstance(send(pool), Sent)  # on a connection that is then closed
    assert smtp_server.commands["QUIT"] == 2


@pytest.mark.parametrize("how", [DROP, HANG, "500 never"])
def test_a_connection_that_cannot_forget_a_message_is_not_kept(
    how: str, smtp_server: MailServer, pool: SmtpPool
) -> None:
    smtp_server.refused[RECIPIENT] = "550 5.1.1 no such user"
    smtp_server.fail("RSET", how)
    assert isinstance(send(pool), Rejected)
    smtp_server.recover()
    assert isinstance(send(pool), Sent)
    assert smtp_server.connections == 2
