"""What the tests of deliveries do and ask: send, refund, and read what was sent."""

import io
from datetime import timedelta

import pypdf
from sqlalchemy import select

from core import mail, refunds, storage
from core.access import Actor
from core.storage import AuditEvent, OrderItem
from tests.conftest import NOW

LEASE = timedelta(seconds=61)


def send(*items: str, to: list[str], actor: Actor, key: str = "k") -> list[str]:
    answer = mail.send(items, to, message="Enjoy!", key=key, actor=actor, now=NOW)
    return [one.delivery_id for one in answer.deliveries]


def refund(*items: str, actor: Actor) -> None:
    refunds.request(items, reason="goodwill", key=f"back-{items}", actor=actor, now=NOW)


def pages_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)


def code_of(item: str) -> str:
    with storage.reading() as session:
        return session.get_one(OrderItem, item).voucher_code


def events(action: str) -> list[str]:
    with storage.reading() as session:
        found = select(AuditEvent.entity_id).where(AuditEvent.action == action)
        return sorted(session.scalars(found))
