"""People who refund and mail all the time, and ask again, under the same key, until answered."""

import mailbox
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import select

from core import access, mail, storage
from core.ground import DeliveryStatus, OutsideFailed
from core.refunds import requests
from core.storage import Delivery
from tests.core.books import check_books
from tests.core.refunds.refund_races import count_open, pick, refunded_items

REFUNDERS, PAUSE_SECONDS, WAIT_SECONDS = 3, 0.1, 60


class Load:
    """What was asked, and the answers that somebody got."""

    def __init__(self, items: Sequence[str], mailed: Sequence[str]) -> None:
        actor = access.find_local_actor()
        assert actor is not None
        self.actor, self.items, self.mailed = actor, items, list(mailed)
        self.asked: dict[str, Callable[[], Any]] = {}
        self.answers: dict[str, Any] = {}
        self.failures = 0
        self._changed = threading.Condition()
        self._is_over = threading.Event()
        self._is_given_up = False

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Ask beside the block; at its end each waits for its last answer."""
        with ThreadPoolExecutor(REFUNDERS + 1) as people:
            running = [people.submit(self._refund, number) for number in range(REFUNDERS)]
            running.append(people.submit(self._mail))
            try:
                yield
            except BaseException:
                self._is_given_up = True
                raise
            finally:
                self._is_over.set()
        for one in running:
            one.result()

    def wait_for_answers(self, least: int) -> None:
        """Wait until that many were given."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.answers) >= least, WAIT_SECONDS)

    def _refund(self, person: int) -> None:
        chance = random.Random(person)
        for number in count():
            if self._is_over.is_set():
                return
            key, item_ids = f"refund-{person}-{number}", pick(self.items, chance)
            self._ask(key, partial(self._pay_back, item_ids, key))

    def _mail(self) -> None:
        for number in count():
            if self._is_over.is_set():
                return
            self._ask(f"mail-{number}", partial(self._queue, number))

    def _pay_back(self, item_ids: list[str], key: str) -> requests.Answer:
        now = datetime.now(UTC)
        return requests.request(item_ids, reason="goodwill", key=key, actor=self.actor, now=now)

    def _queue(self, number: int) -> mail.Answer:
        items, to, key = self.mailed[:2], [f"ana{number}@helios.example"], f"mail-{number}"
        now = datetime.now(UTC)
        return mail.send(items, to, message=None, key=key, actor=self.actor, now=now)

    def _ask(self, key: str, ask: Callable[[], Any]) -> None:
        self.asked[key] = ask
        while not self._is_given_up:
            try:
                answer = ask()
            except OutsideFailed:
                self.failures += 1
            else:
                with self._changed:
                    self.answers[key] = answer
                    self._changed.notify_all()
                threading.Event().wait(PAUSE_SECONDS)
                return
            threading.Event().wait(PAUSE_SECONDS)

    def is_done(self) -> bool:
        """Say whether the worker has paid and sent everything."""
        with storage.reading() as session:
            statuses = set(session.scalars(select(Delivery.status)))
        return count_open() == 0 and statuses <= {DeliveryStatus.SENT}

    def check(self, outbox: Path) -> None:
        """Check that what was answered happened, once, and is answered again."""
        check_books()
        granted: Counter[str] = Counter()
        queued = set()
        for key, answer in self.answers.items():
            assert self.asked[key]() == answer
            if isinstance(answer, requests.Answer):
                granted.update(one.order_item_id for one in answer.requested)
            else:
                queued |= {one.delivery_id for one in answer.deliveries}
        assert set(granted.values()) == {1}
        assert granted.keys() == refunded_items()
        with storage.reading() as session:
            deliveries = list(session.scalars(select(Delivery)))
        assert {one.delivery_id for one in deliveries} == queued
        sent = Counter(str(one["Message-ID"]) for one in mailbox.Maildir(outbox))
        for one in deliveries:
            assert sent[one.message_id] == 1 or one.may_be_twice, one.delivery_id
            assert sent[one.message_id] >= 1
