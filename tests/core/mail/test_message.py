"""Sent messages: every text arrives unchanged, whatever the server supports."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.mail.compose.message import Outgoing, Prepared
from core.mail.deliver.pool import SmtpPool
from core.mail.deliver.server import Rejected, Sent
from tests.core.mail.mail_server import MailServer, mail_server
from tests.core.mail.mails import RECIPIENT, SENDER, make_message, open_pool, send


@pytest.mark.parametrize(
    "address",
    [
        "",
        "olivia",
        "a@example.com, b@example.com",
        "a@example.com;b@example.com",
        "Olivia <olivia@example.com>",
        "a@example.com\r\nRCPT TO:<b@example.com>",
        "a@example.com> SIZE=1",
        "a\x00@example.com",
    ],
)
def test_what_is_not_one_address_goes_to_nobody(
    address: str, smtp_server: MailServer, pool: SmtpPool
) -> None:
    rejected = Rejected(f"“{address}” is not a single e-mail address.")
    assert send(pool, recipient=address) == rejected
    assert send(pool, sender=address) == rejected
    assert smtp_server.connections == 0


def test_a_message_that_is_too_big_is_refused_with_the_numbers() -> None:
    with mail_server(data_size_limit=20_000) as server, open_pool(server.describe()) as pool:
        result = send(pool, make_message("Much to say.\n" * 2_000))
        why = "The message has 0.03 MB; the mail server accepts at most 0.02 MB."
        assert result == Rejected(why)
        assert server.commands["MAIL"] == 0
        assert isinstance(send(pool), Sent)


def test_a_server_without_8bit_gets_seven_bits(smtp_server: MailServer, pool: SmtpPool) -> None:
    smtp_server.without.add("8BITMIME")
    text = "Ürümqi → Zürich\n"
    assert isinstance(send(pool, make_message(text, Subject="Zürich")), Sent)
    (taken,) = smtp_server.received
    assert taken.content.isascii()
    assert not any(option.startswith("BODY") for option in taken.options)
    assert (taken.message.get_content(), taken.message["Subject"]) == (text, "Zürich")


def test_a_server_with_8bit_is_told_of_it(smtp_server: MailServer, pool: SmtpPool) -> None:
    text = "Ürümqi → Zürich\n"
    send(pool, make_message(text))
    send(pool)
    eight, seven = smtp_server.received
    assert ("BODY=8BITMIME" in eight.options, "BODY=8BITMIME" in seven.options) == (True, False)
    assert text.encode().strip() in eight.content


def test_an_address_beyond_ascii_goes_where_it_is_taken(
    smtp_server: MailServer, pool: SmtpPool
) -> None:
    address = "jürgen@bücher.example"
    assert isinstance(send(pool, make_message(To=address), recipient=address), Sent)
    assert isinstance(send(pool), Sent)
    first, second = smtp_server.received
    assert (first.recipient, "SMTPUTF8" in first.options) == (address, True)
    assert f"To: {address}\r\n".encode() in first.content
    assert "SMTPUTF8" not in second.options


def test_an_address_beyond_ascii_is_refused_where_it_is_not_taken(
    smtp_server: MailServer, pool: SmtpPool
) -> None:
    smtp_server.without.add("SMTPUTF8")
    assert isinstance(send(pool, recipient="jürgen@bücher.example"), Rejected)
    assert isinstance(send(pool), Sent)


TRICKY = {
    "dots": ".\n..\n.a\n...b\nc.\n.\n",
    "the end of a message": "a\n.\nQUIT\n\n.\n",
    "one very long line": "x" * 5_000 + "\n",
    "long lines beyond ASCII": ("Zürich → " * 300 + "\n") * 3,
    "From at the start": "From here to there\n>From\n",
    "no end of line": "no end",
    "empty": "",
    "blanks at the end": "a  \nb\t\n \n\n\n",
}


@pytest.mark.parametrize("text", TRICKY.values(), ids=TRICKY)
@pytest.mark.parametrize("without", ["8BITMIME", "nothing"])
def test_a_text_comes_out_as_it_went_in(
    text: str, without: str, smtp_server: MailServer, pool: SmtpPool
) -> None:
    smtp_server.without.add(without)
    message = make_message(text)
    attached = bytes(range(256)) * 200 + b"\r\n.\r\n\n.\n\r.\r"
    message.add_attachment(attached, maintype="application", subtype="pdf", filename="Ä.pdf")
    wanted = message.get_body().get_content()  # type: ignore[union-attr]
    assert isinstance(send(pool, message), Sent)
    taken = smtp_server.received[0].message
    assert taken.get_body().get_content() == wanted  # type: ignore[union-attr]
    (pdf,) = taken.iter_attachments()
    assert (pdf.get_content(), pdf.get_filename()) == (attached, "Ä.pdf")


@given(st.text(st.sampled_from(".\r\n aü\x00\x85\u2028"), max_size=60), st.booleans())
def test_no_text_ends_the_message_early(text: str, eight_bit: bool) -> None:
    """Only CRLF ends a line; only the last line is a single dot: no server sees two messages."""
    mail = Outgoing(make_message(text), SENDER, RECIPIENT, lambda: True)
    prepared = mail.prepare({"8bitmime": ""} if eight_bit else {})
    assert isinstance(prepared, Prepared)
    assert prepared.data.endswith(b"\r\n.\r\n")
    lines = prepared.data.split(b"\r\n")
    assert lines.index(b".") == len(lines) - 2
    assert not any(b"\r" in line or b"\n" in line or len(line) > 998 for line in lines)


def test_a_long_message_id_is_not_folded(smtp_server: MailServer, pool: SmtpPool) -> None:
    message_id = f"<{'d' * 120}@helios.example>"
    message = make_message()
    message.replace_header("Message-ID", message_id)
    send(pool, message)
    assert f"Message-ID: {message_id}\r\n".encode() in smtp_server.received[0].content
