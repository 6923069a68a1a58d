"""People at once, in a process of their own: they scroll, filter, export, refund and mail.

Each request and its outcome is written down. A person whose request got no answer asks again, as
the pages do, and an action under the same key. The process is told by its input what to do, and
ends after its time or when its input ends, once each action has its answer.
"""

import asyncio
import base64
import json
import random
import ssl
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import httpx

from tests.bench.people import FILTER_SHARE, LISTED, new_view

BLOCK_ROWS, PACE_SECONDS, AGAIN_SECONDS, PATIENCE_SECONDS = 200, 1.0, 0.5, 30
EXPORTS, REFUNDS, MAILS = 0.01, 0.03, 0.02  # the shares of requests; the rest are rows
MOST_ITEMS = 4  # of a refund
ANSWER_SECONDS = 90  # how long an action may wait for its answer at the end


@dataclass(frozen=True)
class Person:
    """Who is signed in: the browser's cookie, and a token for rows and for files."""

    browser: str
    rows: str
    export: str


@dataclass(frozen=True)
class Sample:
    """A request: when it began by time.monotonic, how long it took, and its status; 0 for none."""

    kind: str
    began: float
    seconds: float
    status: int

    @property
    def is_answered(self) -> bool:
        """Say whether it got what it asked for."""
        return self.status == httpx.codes.OK


@dataclass
class Outcome:
    """Everything that the people did and got."""

    samples: list[Sample] = field(default_factory=list)
    asked: dict[str, list[str]] = field(default_factory=dict)  # the items, by the action's key
    granted: dict[str, list[str]] = field(default_factory=dict)  # items
    queued: dict[str, list[str]] = field(default_factory=dict)  # deliveries
    unanswered: int = 0


@dataclass
class Crowd:
    """What all people have in common."""

    address: str
    items: Sequence[str]  # that they refund
    mailed: Sequence[str]  # whose vouchers they mail
    acts: bool
    ends_at: float
    outcome: Outcome = field(default_factory=Outcome)
    is_told: threading.Event = field(default_factory=threading.Event)

    @property
    def is_over(self) -> bool:
        """Say whether the people stop."""
        return self.is_told.is_set() or time.monotonic() >= self.ends_at


class Browser:
    """One person with a client of their own, whose cookies keep them at one process."""

    def __init__(self, crowd: Crowd, person: Person, number: int, trust: ssl.SSLContext) -> None:
        self.crowd, self.person, self.number = crowd, person, number
        self.chance = random.Random(number)
        self.view, self.start = new_view(self.chance), 0
        self.client = httpx.AsyncClient(
            base_url=crowd.address,
            verify=trust,
            cookies={"order_desk_browser": person.browser},
            headers={"Authorization": f"Bearer {person.rows}"},
            timeout=PATIENCE_SECONDS,
        )

    async def live(self) -> None:
        """Ask for something every second until it is over."""
        await asyncio.sleep(self.chance.random() * PACE_SECONDS)
        async with self.client:
            while not self.crowd.is_over:
                began = time.monotonic()
                is_answered = await self._do_something()
                pace = PACE_SECONDS if is_answered else AGAIN_SECONDS
                await asyncio.sleep(max(0.0, began + pace - time.monotonic()))

    async def _do_something(self) -> bool:
        dice = self.chance.random()
        if dice < EXPORTS:
            return await self._export()
        if self.crowd.acts and dice < EXPORTS + REFUNDS:
            items = self.chance.sample(self.crowd.items, self.chance.randint(1, MOST_ITEMS))
            return await self._act("refund", items, "granted", self.crowd.outcome.granted)
        if self.crowd.acts and dice < EXPORTS + REFUNDS + MAILS:
            items = self.chance.sample(self.crowd.mailed, 1)
            return await self._act("mail", items, "queued", self.crowd.outcome.queued)
        return await self._scroll()

    async def _ask(self, kind: str, method: str, path: str, **given: Any) -> httpx.Response | None:
        began, status, answer = time.monotonic(), 0, None
        try:
            answer = await self.client.request(method, path, **given)
            status = answer.status_code
        except httpx.HTTPError:
            pass
        sample = Sample(kind, began, time.monotonic() - began, status)
        self.crowd.outcome.samples.append(sample)
        return answer if sample.is_answered else None

    async def _scroll(self) -> bool:
        window = {"view": self.view, "start": self.start, "end": self.start + BLOCK_ROWS}
        answer = await self._ask("rows", "POST", "/rows/orders", json=window)
        if answer is None:
            return False
        is_more = answer.content.endswith(b'"last":null}')
        self.start = self.start + BLOCK_ROWS if is_more else 0
        if self.start == 0 or self.chance.random() < FILTER_SHARE:
            self.view, self.start = new_view(self.chance), 0
        return True

    async def _export(self) -> bool:
        name, value = next(iter(LISTED.items()))
        view = {"filters": {name: {"filterType": "set", "values": [value]}}}
        text = base64.urlsafe_b64encode(json.dumps(view).encode()).decode().rstrip("=")
        asked = {"view": text, "form": "xlsx", "token": self.person.export}
        return await self._ask("export", "GET", "/export/orders", params=asked) is not None

    async def _act(
        self, kind: str, items: list[str], named: str, answers: dict[str, list[str]]
    ) -> bool:
        """Refund or mail, and ask again under the same key until there is an answer."""
        outcome = self.crowd.outcome
        key = f"{kind}-{self.number}-{len(outcome.asked)}"
        outcome.asked[key] = items
        asked = {"kind": kind, "items": items, "key": key}
        until = None
        while until is None or time.monotonic() < until:
            answer = await self._ask(kind, "POST", "/door", json=asked)
            if answer is not None:
                answers[key] = answer.json()[named]
                return True
            if self.crowd.is_over and until is None:
                until = time.monotonic() + ANSWER_SECONDS
            await asyncio.sleep(AGAIN_SECONDS)
        outcome.unanswered += 1
        return False


async def _live_together(crowd: Crowd, people: list[Person]) -> None:
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    browsers = [Browser(crowd, one, number, trust) for number, one in enumerate(people)]
    await asyncio.gather(*(one.live() for one in browsers))


def main() -> None:
    """Read what to do, do it, and print what came of it."""
    asked = json.loads(sys.stdin.readline())
    people = [Person(**one) for one in asked["people"]]
    ends_at = time.monotonic() + asked["seconds"]
    pools = asked["items"], asked["mailed"]
    crowd = Crowd(asked["address"], *pools, acts=asked["acts"], ends_at=ends_at)

    def listen() -> None:
        sys.stdin.read()
        crowd.is_told.set()

    threading.Thread(target=listen, daemon=True).start()
    asyncio.run(_live_together(crowd, people))
    print(json.dumps(asdict(crowd.outcome)), flush=True)


if __name__ == "__main__":
    main()
