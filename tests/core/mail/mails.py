"""Messages to send, and sending them: what the tests of SMTP share."""

from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Any

from core.mail.deliver.pool import SmtpPool
from core.mail.deliver.server import Result, Server
from tests.core.mail.mail_server import HANG

SENDER, RECIPIENT = "desk@helios.example", "olivia@example.com"
SHORT = 0.4  # seconds to wait for a reply that never comes


def patience(how: str) -> float:
    """Return how many seconds to wait for a reply of a server that does this."""
    return SHORT if how == HANG else 10


@contextmanager
def open_pool(server: Server) -> Iterator[SmtpPool]:
    opened = SmtpPool(server)
    try:
        yield opened
    finally:
        opened.close()


def make_message(text: str = "Here are your vouchers.\n", **headers: str) -> EmailMessage:
    message = EmailMessage()
    wanted = {"From": f"Order Desk <{SENDER}>", "To": RECIPIENT, "Subject": "Vouchers"} | headers
    for name, value in ({"Message-ID": "<d-1@helios.example>"} | wanted).items():
        message[name] = value
    message.set_content(text)
    return message


def send(pool: SmtpPool, message: EmailMessage | None = None, **given: Any) -> Result:
    to: dict[str, Any] = {"sender": SENDER, "recipient": RECIPIENT, "may_hand_over": lambda: True}
    return pool.send(message or make_message(), **(to | given))


def send_to(server: Server) -> Result:
    with open_pool(server) as pool:
        return send(pool)
