"""Refunds, downloads and settling lock items in the same order: no deadlock."""

import io
import random
from typing import Any

import pytest

from core import refunds, vouchers
from core.ground import AppError, Method, OutsideFailed
from core.refunds.gateways import BalanceGateway
from core.storage import new_id
from tests.conftest import NOW
from tests.core.books import check_books
from tests.core.refunds.refund_races import at_once, settle_all
from tests.core.refunds.sold_items import sell
from tests.effort import some
from tests.rows import make_actor

pytestmark = pytest.mark.both_databases

THREADS, ACTS, ITEMS, EACH = some(8, 16), some(4, 12), some(120, 400), some(30, 60)


def test_many_items_are_refunded_and_downloaded_at_once_without_a_deadlock(database: str) -> None:
    items, agent = sell(ITEMS), make_actor()
    gateways = {Method.BALANCE: BalanceGateway()}

    def act(thread: int) -> list[str]:
        chance, failures = random.Random(thread), []
        for number in range(ACTS):
            picked = chance.sample(items, EACH)
            asked: dict[str, Any] = {"actor": agent, "now": NOW}
            try:
                if (thread + number) % 2:
                    vouchers.issue(picked, io.BytesIO(), file_format="zip", **asked)
                else:
                    asked |= {"reason": "goodwill", "key": new_id(), "gateways": gateways}
                    refunds.request(picked[:20], **asked)
            except OutsideFailed as error:
                failures.append(str(error))
            except AppError:
                pass  # all items are already refunded
        return failures

    assert [one for failed in at_once(THREADS, act) for one in failed] == []
    settle_all()
    check_books()
