"""Factories of stored rows, with keyword defaults: name what a test is about, no more."""

from datetime import UTC, datetime
from itertools import count
from threading import Lock
from typing import Any

from sqlalchemy import delete

from core import storage
from core.access import Actor
from core.ground import Role
from core.storage import (
    Contract,
    Note,
    Order,
    OrderItem,
    Refund,
    RefundBatch,
    Transaction,
    User,
    UserContract,
    new_id,
)
from core.vouchers import new_code, new_serial

_numbers = count(1)
_one_stores = Lock()  # of a test's threads: two would both insert the user
OF_ITEM = (
    *("order_item_id", "order_id", "contract_id", "currency"),
    *("product_type", "product", "passenger_name"),
)
CREATED = datetime(2026, 3, 1, 12, tzinfo=UTC)


def make_refund(order_item_id: str, **given: Any) -> str:
    """Store a refund of an item, which succeeded unless it is said, without its ledger entry."""
    with storage.writing() as session:
        item = session.get_one(OrderItem, order_item_id)
        if session.get(RefundBatch, "B") is None:
            about = {"idempotency_key": "B", "request_hash": "", "answer": {}}
            session.add(RefundBatch(batch_id="B", requested_by="ana", created_at=CREATED, **about))
            session.flush()
        values: dict[str, Any] = {
            **{name: getattr(item, name) for name in OF_ITEM},
            "refund_id": f"RF-{order_item_id}",
            "no": next(_numbers),
            "batch_id": "B",
            "amount_minor": item.price_minor,
            "reason": "goodwill",
            "gateway": "balance",
            "status": "succeeded",
            "requested_by": "ana@helios.example",
            "requested_at": CREATED,
            "settled_at": CREATED,
        } | given
        session.add(Refund(**values))
    return str(values["refund_id"])


def make_note(order_id: str, **given: Any) -> str:
    """Store a note on an order."""
    with storage.writing() as session:
        values: dict[str, Any] = {
            "note_id": new_id(),
            "no": next(_numbers),
            "order_id": order_id,
            "contract_id": session.get_one(Order, order_id).contract_id,
            "created_at": CREATED,
            "author": "ana@helios.example",
            "text": "Call back",
        } | given
        session.add(Note(**values))
    return str(values["note_id"])


def sold_item() -> dict[str, Any]:
    """Return what a refund keeps of its item, and a number of its own."""
    of_item = {"product_type": "lounge", "product": "Aspire Lounge", "passenger_name": "Zoë Müller"}
    return {"no": next(_numbers)} | of_item


def make_contract(
    contract_id: str = "CT-1", *, currency: str = "EUR", name: str | None = None
) -> str:
    """Store a contract unless it is there; its name is its ID unless it is said."""
    with storage.writing() as session:
        if session.get(Contract, contract_id) is None:
            session.add(
                Contract(contract_id=contract_id, name=name or contract_id, currency=currency)
            )
    return contract_id


def make_actor(role: Role = Role.AGENT, **given: Any) -> Actor:
    """Store a user, who sees every contract unless it is said, and return them as an actor."""
    user_id = new_id()
    values: dict[str, Any] = {
        "user_id": user_id,
        "email": f"{user_id}@helios.example",
        "sees_all_contracts": "contracts" not in given,
    } | given
    return store_user(Actor(role=role, **values))


def store_user(actor: Actor) -> Actor:
    """Store the user that an actor is, with the rights of the actor, and return the actor."""
    for contract_id in actor.contracts:
        make_contract(contract_id)
    with _one_stores, storage.writing() as session:
        user = session.get(User, actor.user_id)
        if user is None:
            user = User(user_id=actor.user_id, email=actor.email, is_active=True)
            session.add(user)
        user.name, user.role = actor.name or actor.email, actor.role
        user.sees_all_contracts = actor.sees_all_contracts
        user.only_own_orders = actor.only_own_orders
        session.flush()
        session.execute(delete(UserContract).where(UserContract.user_id == actor.user_id))
        for contract_id in sorted(actor.contracts):
            session.add(UserContract(user_id=actor.user_id, contract_id=contract_id))
    return actor


def make_order(order_id: str | None = None, **given: Any) -> str:
    """Store an order (without its items) and return its id."""
    no = next(_numbers)
    values: dict[str, Any] = {
        "order_id": order_id or f"OD-{no:05d}",
        "no": no,
        "contract_id": "CT-1",
        "widget_id": None,
        "created_at": CREATED,
        "author": "ana@helios.example",
        "item_count": 1,
        "amount_minor": 3800,
        "currency": "EUR",
        "contact_email": None,
    } | given
    make_contract(values["contract_id"])
    with storage.writing() as session:
        session.add(Order(**values))
    return str(values["order_id"])


def make_item(order_id: str, **given: Any) -> str:
    """Store an order item and return its id."""
    no = next(_numbers)
    values: dict[str, Any] = {
        "order_item_id": f"{order_id}-{no}",
        "no": no,
        "order_id": order_id,
        "contract_id": "CT-1",
        "product_type": "lounge",
        "product": "Aspire Lounge",
        "airport_iata": "LHR",
        "airport_tz": "Europe/London",
        "pax_type": "adult",
        "passenger_name": "Zoë Müller",
        "service_at": CREATED,
        "valid_from": CREATED,
        "valid_until": CREATED,
        "voucher_code": new_code(),
        "voucher_serial": new_serial(),
        "price_minor": 3800,
        "currency": "EUR",
        "is_refundable": True,
        "status": "not_used",
        "created_at": CREATED,
    } | given
    with storage.writing() as session:
        session.add(OrderItem(**values))
    return str(values["order_item_id"])


def make_transaction(**given: Any) -> str:
    """Store a ledger transaction and return its id."""
    no = next(_numbers)
    values: dict[str, Any] = {
        "transaction_id": f"TX-{no}",
        "no": no,
        "created_at": CREATED,
        "contract_id": "CT-1",
        "type": "payment",
        "method": "balance",
        "amount_minor": -3800,
        "currency": "EUR",
        "status": "succeeded",
        "author": "ana@helios.example",
    } | given
    with storage.writing() as session:
        session.add(Transaction(**values))
    return str(values["transaction_id"])
