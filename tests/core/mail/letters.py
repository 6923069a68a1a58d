"""Compose a mail, and read it back as mail programs do."""

import email
import email.policy
import re
from collections.abc import Iterator
from email.header import decode_header, make_header
from email.message import EmailMessage, Message
from html.parser import HTMLParser

from core.mail.compose.body import Mail
from core.mail.compose.letters import compose
from core.vouchers import Branding
from tests.mails import SENDER
from tests.vouchers import BRANDING

PDF = b"%PDF-1.4\r\n\x00\xff\n.\r\n--=_\nFrom here\n%%EOF"
HEADERS = [
    *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version"),
    "Content-Type",
]


def compose_mail(mail: Mail, branding: Branding = BRANDING, sender: str = SENDER) -> EmailMessage:
    pdf = PDF if mail.kind == "voucher" else None
    return compose(mail, branding, sender=sender, pdf=pdf)


def read_mail(content: bytes) -> EmailMessage:
    read = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(read, EmailMessage)
    return read


def transported(content: bytes) -> Iterator[bytes]:
    """Yield a message as it arrives: unchanged, and rewritten by other programs."""
    yield content
    yield content.replace(b"\r\n", b"\n")
    yield email.message_from_bytes(content, policy=email.policy.default).as_bytes()
    yield email.message_from_bytes(content).as_bytes()


def decoded(message: Message, name: str) -> str:
    return str(make_header(decode_header(re.sub(r"\r?\n", "", str(message[name])))))


def text_of(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


class Tags(HTMLParser):
    """Collects the tags of a document with their attributes, and its visible text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.comments: set[str] = set()
        self.words: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(attrs)))

    def handle_comment(self, data: str) -> None:
        self.comments.add(data)

    def handle_data(self, data: str) -> None:
        self.words.append(data)
