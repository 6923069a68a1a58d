"""The ledger of the demo: the entries of every order, and the balances that they leave."""

from collections import defaultdict
from typing import Any, NamedTuple

from core.access import LOCAL_USER_EMAIL
from core.demo.world import CONTRACTS, DemoContract
from core.ground import Method, TransactionType, decimals_of


class DemoOrder(NamedTuple):
    """What the entries of an order have in common."""

    order_id: str | None  # None for a top-up, which has no order
    contract: DemoContract
    created: int
    author: str
    currency: str
    method: Method


class DemoLedger:
    """Makes the rows of transactions. Amounts are minor units, times are seconds since 1970."""

    def __init__(self) -> None:
        self.rows: list[tuple[Any, ...]] = []  # not written yet
        self.balances: dict[str, int] = defaultdict(int)  # by contract
        self.count = 0

    def pay(self, order: DemoOrder, amount: int, *, fails_first: bool) -> None:
        """Enter the payment of an order, and the failed attempt before it."""
        if fails_first:
            self._enter(order, order.created, TransactionType.PAYMENT, -amount, status="failed")
        self._enter(order, order.created + 1, TransactionType.PAYMENT, -amount)

    def refund(
        self, order: DemoOrder, amount: int, *, at: int, item_id: str, refund_id: str
    ) -> None:
        """Enter the refund of an item."""
        self._enter(order, at, TransactionType.REFUND, amount, item_id, refund_id)

    def top_up(self, at: int) -> None:
        """Top up every balance by a round sum that is larger than what was spent."""
        for contract in CONTRACTS:
            if contract.method is Method.BALANCE:
                spent = -self.balances[contract.contract_id]
                step = 10 ** (decimals_of(contract.currency) + 4)
                amount = (spent // step + 2) * step
                order = DemoOrder(
                    None, contract, at, LOCAL_USER_EMAIL, contract.currency, Method.BALANCE
                )
                self._enter(order, at, TransactionType.TOP_UP, amount)

    def _enter(
        self,
        order: DemoOrder,
        at: int,
        kind: TransactionType,
        amount: int,
        item_id: str | None = None,
        refund_id: str | None = None,
        status: str = "succeeded",
    ) -> None:
        no = self.count = self.count + 1
        if order.method is Method.BALANCE and status == "succeeded":
            self.balances[order.contract.contract_id] += amount
        reference = f"pi_{no:08x}" if order.method is Method.CARD else None
        self.rows.append(
            (
                f"TX-{no:08d}",
                no,
                at,
                order.contract.contract_id,
                order.order_id,
                item_id,
                refund_id,
                kind.value,
                order.method.value,
                amount,
                order.currency,
                status,
                reference,
                order.author,
            )
        )
