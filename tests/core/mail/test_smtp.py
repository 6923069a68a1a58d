"""SMTP: what a server accepts, postpones, rejects for good, and loses."""

from collections.abc import Iterator
from typing import Any

import pytest

from core.mail.deliver.pool import SmtpPool
from core.mail.deliver.server import Later, Rejected, Sent, Unusable
from tests.core.mail.mail_server import CUT, DROP, HANG, HOST, MailServer, mail_server
from tests.core.mail.mails import RECIPIENT, SENDER, SHORT, make_message, send, send_to

WHERE = f"The mail server {HOST}:"
SILENT = f"did not answer within {SHORT} s."
BROKEN = {DROP: "closed the connection.", HANG: SILENT}


@pytest.fixture(params=["in one flight", "one by one"])
def smtp_server(request: pytest.FixtureRequest) -> Iterator[MailServer]:
    """Run a mail server with and without pipelining (RFC 2920)."""
    with mail_server() as running:
        running.without |= {"PIPELINING"} if request.param == "one by one" else set()
        yield running


def test_a_message_arrives_with_its_envelope(smtp_server: MailServer, pool: SmtpPool) -> None:
    assert send(pool) == Sent("2.0.0 OK: queued as Q1")
    (taken,) = smtp_server.received
    assert (taken.sender, taken.recipient) == (SENDER, RECIPIENT)
    assert taken.message["Message-ID"] == "<d-1@helios.example>"
    assert taken.message.get_content() == "Here are your vouchers.\n"


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA", "CONTENT"])
@pytest.mark.parametrize(
    ("reply", "kind", "verb"),
    [
        ("450 4.2.1 busy", Later, "does not accept"),
        ("452 4.3.1 disk full", Later, "does not accept"),
        ("550 5.7.1 no", Rejected, "refused"),
        ("554 5.6.0 spam", Rejected, "refused"),
    ],
)
def test_a_refusal_says_whether_to_try_again(
    stage: str, reply: str, kind: Any, verb: str, smtp_server: MailServer, pool: SmtpPool
) -> None:
    what = {"MAIL": "the sender", "RCPT": "the recipient"}.get(stage, "the message")
    smtp_server.fail(stage, reply, times=1)
    now = " now" if kind is Later else ""
    assert send(pool) == kind(f"The mail server {verb} {what}{now}: {reply}")
    assert smtp_server.received == []
    assert isinstance(send(pool), Sent)  # on the same connection
    assert (smtp_server.connections, smtp_server.commands["RSET"]) == (1, 1)


@pytest.mark.parametrize(
    ("reply", "kind"), [("550 5.1.1 no such user", Rejected), ("450 4.2.2 mailbox full", Later)]
)
def test_a_refused_recipient_stops_no_other(
    reply: str, kind: Any, smtp_server: MailServer, pool: SmtpPool
) -> None:
    smtp_server.refused["bob@example.com"] = reply
    assert isinstance(send(pool, recipient="bob@example.com"), kind)
    assert isinstance(send(pool), Sent)
    assert [taken.recipient for taken in smtp_server.received] == [RECIPIENT]


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("code", [530, 534, 535, 538])
def test_a_sign_in_that_is_asked_for_stops_the_queue(
    stage: str, code: int, smtp_server: MailServer, pool: SmtpPool
) -> None:
    smtp_server.fail(stage, f"{code} 5.7.0 Authentication required")
    why = f"{WHERE}{smtp_server.port} requires a sign-in: {code} 5.7.0 Authentication required"
    assert send(pool) == Unusable(why)
    smtp_server.recover()
    assert isinstance(send(pool), Sent)


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA", "CONTENT"])
def test_a_server_that_says_goodbye_is_tried_later_on_a_new_connection(
    stage: str, smtp_server: MailServer, pool: SmtpPool
) -> None:
    smtp_server.fail(stage, "421 4.3.2 closing", times=1)
    result = send(pool)
    assert isinstance(result, Later)
    assert (result.why[-17:], result.may_have_arrived) == ("421 4.3.2 closing", False)
    assert isinstance(send(pool), Sent)
    assert [taken.connection for taken in smtp_server.received] == [2]


@pytest.mark.parametrize("how", [DROP, HANG, "nonsense", "299", "x" * 9000])
@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
def test_a_new_connection_that_breaks_is_tried_later(
    stage: str, how: str, smtp_server: MailServer, pool: SmtpPool
) -> None:
    if how == "299" and stage != "DATA":
        how = "199 hm"
    smtp_server.fail(stage, how)
    result = send(pool)
    assert isinstance(result, Later)
    assert not result.may_have_arrived
    assert how not in BROKEN or result.why == f"{WHERE}{smtp_server.port} {BROKEN[how]}"
    assert (smtp_server.connections, smtp_server.commands[stage]) == (1, 1)
    smtp_server.recover()
    assert isinstance(send(pool), Sent)


def test_a_connection_cut_in_the_midst_of_the_message_has_not_delivered_it(
    smtp_server: MailServer, pool: SmtpPool
) -> None:
    smtp_server.fail("DATA", CUT)
    with_much = make_message("x" * 60 + "\n" + ("y" * 70 + "\n") * 100_000)
    result = send(pool, with_much)
    assert result == Later(f"{WHERE}{smtp_server.port} closed the connection.")


@pytest.mark.parametrize("how", [DROP, HANG, "nonsense", "354 go on", "x" * 9000])
@pytest.mark.parametrize("kept", [False, True])
def test_a_connection_that_breaks_after_the_last_dot_may_have_delivered(
    how: str, kept: bool, smtp_server: MailServer, pool: SmtpPool
) -> None:
    if kept:
        send(pool)
    smtp_server.fail("END", how, times=1)
    result = send(pool)
    assert isinstance(result, Later)
    assert result.may_have_arrived
    assert result.why.endswith("The whole message was handed over: it may have arrived.")
    assert len(smtp_server.received) == 1 + kept  # once: send() does not retry it
    assert isinstance(send(pool), Sent)


def test_a_message_that_may_not_go_does_not(smtp_server: MailServer, pool: SmtpPool) -> None:
    held = send(pool, may_hand_over=lambda: False)
    assert held == Later("It was stopped just before it was handed to the mail server.")
    assert (smtp_server.commands["DATA"], smtp_server.commands["RSET"]) == (0, 1)
    assert isinstance(send(pool), Sent)
    assert smtp_server.connections == 1


def test_whether_it_may_go_is_asked_just_before_it_goes(
    smtp_server: MailServer, pool: SmtpPool
) -> None:
    asked: list[dict[str, int]] = []

    def may_hand_over() -> bool:
        asked.append(dict(smtp_server.commands))
        return True

    send(pool, may_hand_over=may_hand_over)
    told = {"MAIL": 1, "RCPT": 1} if "PIPELINING" in smtp_server.without else {}
    assert asked == [{"EHLO": 1} | told]


def test_a_server_that_waits_for_a_message_without_recipient_gets_none(
    smtp_server: MailServer, pool: SmtpPool
) -> None:
    smtp_server.refused[RECIPIENT] = "550 5.1.1 no such user"
    smtp_server.fail("DATA", "354 go on")
    assert isinstance(send(pool), Rejected)
    smtp_server.recover()
    assert isinstance(send(pool), Sent)
    assert [taken.recipient for taken in smtp_server.received] == [RECIPIENT]


@pytest.mark.parametrize("failure", [RuntimeError, OSError, KeyboardInterrupt])
def test_what_asking_whether_it_may_go_raises_is_raised(
    failure: type[BaseException], smtp_server: MailServer, pool: SmtpPool
) -> None:
    def fail() -> bool:
        raise failure("no database")

    with pytest.raises(failure, match="no database"):
        send(pool, may_hand_over=fail)
    assert smtp_server.received == []
    assert isinstance(send(pool), Sent)


def test_a_slow_server_is_waited_for(smtp_server: MailServer) -> None:
    smtp_server.delay = 0.05
    assert isinstance(send_to(smtp_server.describe(timeout=1)), Sent)


def test_what_the_server_says_is_one_short_line(smtp_server: MailServer, pool: SmtpPool) -> None:
    smtp_server.refused[RECIPIENT] = "550-5.1.1 \x1b[31mno\x07 such\u202e user\r\n550 " + "x" * 400
    result = send(pool)
    assert isinstance(result, Rejected)
    assert len(result.why) == 300
    assert result.why.startswith(
        "The mail server refused the recipient: 550 5.1.1 [31mno such user xxx"
    )
    assert result.why.isprintable()
