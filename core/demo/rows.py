"""Make the sample rows: the same number of orders and the same time give the same rows."""

import random
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

from sqlalchemy.orm import Session

from core import storage
from core.access import LOCAL_USER_EMAIL
from core.demo.ledger import DemoLedger, DemoOrder
from core.demo.notes import DemoNotes
from core.demo.people import Person, ascii_of, people
from core.demo.world import (
    AIRPORTS,
    AUTHORS,
    CONTRACTS,
    ITEM_COUNT_WEIGHTS,
    ITEM_COUNTS,
    PRODUCT_WEIGHTS,
    PRODUCTS,
    DemoContract,
    DemoProduct,
    round_price,
)
from core.ground import (
    ItemStatus,
    Method,
    PaxType,
    RefundStatus,
    airport_zones,
    start_of_day,
    zone_named,
)
from core.storage import Base, Contract, Note, Order, OrderItem, Refund, RefundBatch, Transaction
from core.vouchers import ALPHABET, CODE_LENGTH, SERIAL_BYTES, code_from_number

DAYS = 730
HOUR, DAY = 3_600, 86_400
ORDERS_A_BATCH = 5_000
BATCH_ID = "demo"
PAX_TYPES = [one.value for one in PaxType]
ADULT = PaxType.ADULT.value
CODES = len(ALPHABET) ** CODE_LENGTH

MODELS: tuple[type[Base], ...] = (Order, OrderItem, Refund, Transaction, Note)


@cache
def _start_of(day: int, zone: str) -> int:
    """Return when a day begins in a zone; days are numbered from 1970."""
    return int(start_of_day(_date(day), zone_named(zone)).timestamp())


@cache
def _month_of(day: int) -> str:
    return f"{_date(day):%y%m}"


def _date(day: int) -> date:
    return datetime.fromtimestamp(day * DAY, UTC).date()


class DemoRows:
    """Makes orders sorted by creation time, and writes them in batches."""

    def __init__(self, session: Session, orders: int, now: datetime) -> None:
        self.session, self.orders, self.now = session, orders, int(now.timestamp())
        self.random = random.Random(orders)
        self.ledger, self.notes = DemoLedger(), DemoNotes(orders, self.now)
        self.rows: dict[type[Base], list[tuple[Any, ...]]] = {model: [] for model in MODELS}
        self.rows[Transaction], self.rows[Note] = self.ledger.rows, self.notes.rows
        self.count: dict[type[Base], int] = dict.fromkeys(MODELS, 0)

    def write(self) -> None:
        """Write contracts, then every order with its items, refunds and transactions."""
        for contract in CONTRACTS:
            self.session.add(
                Contract(
                    contract_id=contract.contract_id, name=contract.name, currency=contract.currency
                )
            )
        self.session.add(
            RefundBatch(
                batch_id=BATCH_ID,
                idempotency_key=BATCH_ID,
                request_hash="",
                answer={},
                requested_by=LOCAL_USER_EMAIL,
                created_at=datetime.fromtimestamp(self.now, UTC),
            )
        )
        self.session.flush()
        with storage.loading(self.session, *MODELS):
            moments = self._moments()
            for first in range(0, self.orders, ORDERS_A_BATCH):
                self._make(moments[first : first + ORDERS_A_BATCH])
                self._write_batch()
            self.ledger.top_up(self.now - DAYS * DAY)
            self._write_batch()
        for contract in CONTRACTS:
            stored = self.session.get_one(Contract, contract.contract_id)
            stored.balance_minor = self.ledger.balances[contract.contract_id]

    def _moments(self) -> list[int]:
        """Return the creation times: more of them recent, mostly by day, the last minutes ago."""
        drawn = self.random
        ages = (int(DAYS * drawn.random() ** 1.4) for _ in range(self.orders))
        moments = [
            self.now - age * DAY - int(DAY * (drawn.random() + drawn.random()) / 2) for age in ages
        ]
        return sorted(moments)

    def _make(self, moments: list[int]) -> None:
        drawn, count = self.random, len(moments)
        contracts = drawn.choices(CONTRACTS, [one.share for one in CONTRACTS], k=count)
        sizes = drawn.choices(ITEM_COUNTS, ITEM_COUNT_WEIGHTS, k=count)
        total = sum(sizes)
        passengers = iter(drawn.choices(*people(), k=total))
        products = iter(drawn.choices(PRODUCTS, PRODUCT_WEIGHTS, k=total))
        for moment, contract, size in zip(moments, contracts, sizes, strict=True):
            self._order(moment, contract, [(next(products), next(passengers)) for _ in range(size)])

    def _order(
        self, created: int, contract: DemoContract, items: list[tuple[DemoProduct, Person]]
    ) -> None:
        drawn = self.random
        no = self.count[Order] = self.count[Order] + 1
        domain = _domain_of(contract.name)
        author = f"{drawn.choice(AUTHORS)}@{domain}.example"
        if drawn.random() < 0.02:
            author = LOCAL_USER_EMAIL
        # A few orders are not in the currency of their contract; their items are not refunded.
        is_odd = contract.currency != "EUR" and drawn.random() < 0.01
        order = DemoOrder(
            f"OD{_month_of(created // DAY)}-{no:07d}",
            contract,
            created,
            author,
            "EUR" if is_odd else contract.currency,
            Method.CARD if is_odd else contract.method,
        )
        widget, contact = None, f"travel@{domain}.example"
        if drawn.random() < 1 / 3:  # a passenger has booked
            widget = f"WGT-{domain.upper()}-{drawn.choice(('WEB', 'APP', 'KIOSK'))}"
            contact = items[0][1].address(no)
        airport = drawn.choice(contract.airports.split())
        if drawn.random() < 0.1:
            airport = drawn.choice(AIRPORTS)
        service_day = (created + int(DAY * (1 + 90 * drawn.random() ** 2))) // DAY
        service_hour = drawn.randrange(5, 23)
        amount = sum(
            self._item(order, index, product, person, airport, service_day, service_hour)
            for index, (product, person) in enumerate(items, 1)
        )
        fails_first = order.method is Method.CARD and drawn.random() < 0.03
        self.ledger.pay(order, amount, fails_first=fails_first)
        self.notes.leave(order)
        self.rows[Order].append(
            (
                order.order_id,
                no,
                contract.contract_id,
                widget,
                created,
                author,
                len(items),
                amount,
                order.currency,
                contact,
            )
        )

    def _item(
        self,
        order: DemoOrder,
        index: int,
        product: DemoProduct,
        person: Person,
        airport: str,
        service_day: int,
        service_hour: int,
    ) -> int:
        drawn = self.random
        zone = airport_zones()[airport]
        valid_from = _start_of(service_day, zone)
        valid_until = _start_of(service_day + 1, zone) - 1
        service = valid_from + service_hour * HOUR + 900 * drawn.randrange(4)
        name = drawn.choice(product.names)
        rate = 1 if order.currency == "EUR" else order.contract.rate
        price = round_price(product.euros * rate * drawn.choice((1, 1, 1.1, 1.25)), order.currency)
        no = self.count[OrderItem] = self.count[OrderItem] + 1
        item_id = f"{order.order_id}-{index}"
        is_refundable = drawn.random() < product.refundable_share
        deadline = service - product.refund_hours * HOUR if is_refundable else None
        status, used, refunded = self._fate(order, service, deadline)
        pax = ADULT if drawn.random() < 0.82 else drawn.choice(PAX_TYPES)
        terminal = f"T{drawn.randrange(1, 6)}" if drawn.random() < 0.7 else None
        flight = f"{drawn.choice(('BA', 'LH', 'TK', 'AF', 'OD'))}{drawn.randrange(100, 9000)}"
        email = person.address(self.count[Order]) if drawn.random() < 0.5 else None
        self.rows[OrderItem].append(
            (
                item_id,
                no,
                order.order_id,
                order.contract.contract_id,
                product.type.value,
                name,
                airport,
                zone,
                terminal,
                pax,
                person.name,
                email,
                service,
                valid_from,
                valid_until,
                flight if drawn.random() < 0.8 else None,
                code_from_number(drawn.randrange(CODES)),
                drawn.randbytes(SERIAL_BYTES),
                price,
                order.currency,
                is_refundable,
                deadline,
                status.value,
                used,
                refunded,
                order.created,
            )
        )
        if refunded is not None:
            self._refund(order, item_id, (product.type.value, name, person.name), price, refunded)
        return price

    def _fate(
        self, order: DemoOrder, service: int, deadline: int | None
    ) -> tuple[ItemStatus, int | None, int | None]:
        """Choose the state of an item: status, used at, refunded at."""
        chance = self.random.random()
        last = min(self.now, deadline or 0)
        may_refund = last > order.created and order.currency == order.contract.currency
        if chance < 0.09 and may_refund:
            span = last - order.created
            return ItemStatus.REFUNDED, None, order.created + int(span * self.random.random())
        if service < self.now and chance < 0.88:
            return ItemStatus.USED, min(service + int(HOUR * chance), self.now), None
        return ItemStatus.NOT_USED, None, None

    def _refund(
        self, order: DemoOrder, item_id: str, sold: tuple[str, str, str], price: int, at: int
    ) -> None:
        no = self.count[Refund] = self.count[Refund] + 1
        refund_id = f"RF-{no:07d}"
        reason = self.random.choice(("passenger_cancelled", "flight_cancelled", "booked_twice"))
        self.rows[Refund].append(
            (
                refund_id,
                no,
                BATCH_ID,
                item_id,
                order.order_id,
                order.contract.contract_id,
                *sold,
                price,
                order.currency,
                reason,
                None,
                order.method.value,
                None,  # the payment reference
                RefundStatus.SUCCEEDED.value,
                1,
                *(None, None, None, None),  # next attempt, lease, failure, external reference
                order.author,
                at,
                at,
                *[None] * 8,  # no request to a provider, no return, no decision, no next entry
            )
        )
        self.ledger.refund(order, price, at=at, item_id=item_id, refund_id=refund_id)

    def _write_batch(self) -> None:
        for model, rows in self.rows.items():
            storage.bulk_insert(self.session, model, rows)
            rows.clear()


@cache
def _domain_of(name: str) -> str:
    return ascii_of(name.split()[0])
