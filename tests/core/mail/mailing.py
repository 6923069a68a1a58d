"""What mail tests share: orders with contacts and passengers, and a scripted transport."""

import email
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from email import policy
from email.message import EmailMessage

from sqlalchemy import select

from core import storage
from core.mail.deliver import delivery
from core.mail.deliver.server import Result, Sent
from core.storage import Delivery
from tests.conftest import NOW
from tests.rows import make_item, make_order, make_transaction

LATER, BEFORE = NOW + timedelta(days=30), NOW - timedelta(days=3)
GIVEN = {"valid_from": BEFORE, "valid_until": LATER, "refund_expire_at": LATER}
CONTACT, ZOE, OMER = "Contact@helios.example", "zoe@mail.example", "omer@mail.example"


def make_shop() -> None:
    """Store an order with two passengers and a used item, and one of another contract."""
    make_order("OD-1", item_count=3, contact_email=CONTACT)
    make_transaction(order_id="OD-1", amount_minor=-3 * 3800)
    make_item("OD-1", order_item_id="A", passenger_email=ZOE, **GIVEN)
    make_item("OD-1", order_item_id="B", passenger_email=OMER, passenger_name="Ömer", **GIVEN)
    make_item("OD-1", order_item_id="USED", status="used", used_at=BEFORE, **GIVEN)
    make_order("OD-2", contract_id="CT-2", contact_email="two@other.example")
    make_transaction(order_id="OD-2", contract_id="CT-2", amount_minor=-3800)
    make_item("OD-2", order_item_id="C", contract_id="CT-2", **GIVEN)


@dataclass
class ScriptedTransport:
    """A transport that gives scripted answers, one after the other, and keeps what it takes."""

    answers: list[Result] = field(default_factory=list)
    taken: list[EmailMessage] = field(default_factory=list)
    attempted: list[str] = field(default_factory=list)
    before: Callable[[], None] = lambda: None  # runs just before the transport answers

    def send(
        self,
        message: EmailMessage,
        *,
        sender: str,
        recipient: str,
        may_hand_over: Callable[[], bool],
    ) -> Result:
        """Return the next answer; Sent when there is none left."""
        assert sender.count("@") == 1
        assert message["To"] == recipient
        self.before()
        self.attempted.append(message["Message-ID"])
        if not may_hand_over():
            return Sent("nobody hears this")
        answer = self.answers.pop(0) if self.answers else Sent()
        if isinstance(answer, Sent):
            self.taken.append(message)
        return answer

    def close(self) -> None:
        """Do nothing."""


def send_due(transport: delivery.MailTransport, *, after: timedelta = timedelta()) -> int:
    """Let the worker send what is due now, or some time later."""
    return delivery.deliver_due(now=NOW + after, transport=transport)


def stored(delivery_id: str | None = None) -> list[Delivery]:
    """Return the deliveries as they are stored, by recipient."""
    with storage.reading() as session:
        statement = select(Delivery).order_by(Delivery.recipient, Delivery.queued_at)
        if delivery_id is not None:
            statement = statement.where(Delivery.delivery_id == delivery_id)
        rows = list(session.scalars(statement))
        session.expunge_all()
        return rows


def statuses() -> dict[str, str]:
    """Return the state of each recipient's delivery."""
    return {one.recipient: one.status for one in stored()}


def pdfs_of(message: EmailMessage) -> Sequence[bytes]:
    """Return the PDF files of a message."""
    parts = [part for part in message.walk() if part.get_content_type() == "application/pdf"]
    return [part.get_content() for part in parts]


def read_message(content: bytes) -> EmailMessage:
    """Read a message back, as a mail program does."""
    return email.message_from_bytes(content, policy=policy.default)
