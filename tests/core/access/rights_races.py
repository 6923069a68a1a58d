"""Agents refund, send and download vouchers while an admin takes their rights away.

The grants of an agent are counted right after a change of their rights is committed, and again
when all requests have ended. A grant in between is an error: its request was allowed by the rights
before the change and committed after it.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from io import BytesIO
from itertools import count
from threading import Event
from typing import Any

from sqlalchemy import func, select

from core import access, mail, refunds, storage
from core.access import Actor, Rights, actors, why_not
from core.ground import AppError, OutsideFailed, Permission, Refused, Role
from core.storage import AuditEvent, Delivery, OrderItem, Refund
from core.vouchers import issuing
from tests.conftest import NOW
from tests.core import steps
from tests.core.refunds.refund_races import UNSETTLED, at_once
from tests.core.refunds.sold_items import CONTRACTS

ALL = frozenset(f"SOLD-{number}" for number in range(CONTRACTS))
AGENT = Rights(role=Role.AGENT, contracts=ALL)
MOST_SECONDS = 0.03  # from the first grants of a round, or the last change, to the next change
START_SECONDS = 60

# A request of an agent for an item. What it was granted is in the database.
Act = Callable[[Actor, str, str], object]


@dataclass(frozen=True)
class Granted:
    """The number of grants of an agent in some contracts, by kind."""

    refunds: int
    mails: int
    vouchers: int

    def since(self, before: "Granted") -> int:
        """Return the number of grants since an earlier count."""
        return sum(vars(self).values()) - sum(vars(before).values())


@dataclass(frozen=True)
class Taken:
    """A change of rights: the agent, the contracts that were lost, and the grants before it."""

    email: str
    contracts: frozenset[str]
    granted: Granted


@dataclass
class RightsRace:
    """The result of all rounds."""

    changes: list[Taken] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)  # by the name of the error class

    @property
    def late(self) -> int:
        """Count the grants after a change that forbids them. It must be 0."""
        return sum(
            count_granted(one.email, one.contracts).since(one.granted) for one in self.changes
        )

    @property
    def granted(self) -> Granted:
        """Count the grants before the changes, which show that requests succeeded."""
        each = [vars(one.granted) for one in self.changes]
        return Granted(**{kind: sum(one[kind] for one in each) for kind in vars(Granted(0, 0, 0))})


def count_granted(email: str, contracts: Collection[str]) -> Granted:
    """Count an agent's refunds, queued e-mails and downloaded vouchers of some contracts."""
    downloads = AuditEvent.action == issuing.DOWNLOADED
    of: dict[str, Any] = {
        "refunds": select(func.count()).where(Refund.requested_by == email),
        "mails": select(func.count()).where(Delivery.requested_by == email),
        "vouchers": select(func.count()).where(AuditEvent.actor == email, downloads),
    }
    tables: dict[str, Any] = {"refunds": Refund, "mails": Delivery, "vouchers": AuditEvent}
    with storage.reading() as session:
        return Granted(
            **{
                kind: session.scalar(
                    statement.where(tables[kind].contract_id.in_(sorted(contracts)))
                )
                or 0
                for kind, statement in of.items()
            }
        )


def refund(actor: Actor, item_id: str, key: str) -> object:
    """Request a refund, as the dialog does."""
    return refunds.request(
        [item_id], reason="goodwill", key=key, actor=actor, now=NOW, gateways=UNSETTLED
    )


def send_mail(actor: Actor, item_id: str, key: str) -> object:
    """Queue the e-mail of a voucher, as the dialog does."""
    to = ["zoe@mail.example"]
    return mail.send([item_id], to, message=None, key=key, actor=actor, now=NOW)


def hand_out(actor: Actor, item_id: str, _key: str) -> object:
    """Download a voucher."""
    return issuing.issue([item_id], BytesIO(), file_format="pdf", actor=actor, now=NOW)


ACTS: tuple[Act, ...] = (refund, send_mail, hand_out)


def naive_hand_out(actor: Actor, item_id: str, _key: str) -> None:
    """Issue a voucher by the rights that were read before the transaction."""
    (line,) = issuing.assess([item_id], actor=actor, now=NOW)
    if why_not(actor, Permission.VOUCHERS) or line.why:
        raise Refused("It is not handed out.")
    with storage.writing() as session:
        item = session.get_one(OrderItem, item_id)
        access.record_event(
            session,
            issuing.DOWNLOADED,
            actor=actor,
            entity="order_item",
            entity_id=item_id,
            contract_id=item.contract_id,
            now=NOW,
        )


Change = tuple[Rights, frozenset[str]]  # the new rights, the contracts without any


def changes(chance: random.Random) -> list[Change]:
    """Return a change of each kind, in random order."""
    contract = frozenset({chance.choice(sorted(ALL))})
    each = [
        (replace(AGENT, is_active=False), ALL),
        (replace(AGENT, role=chance.choice((Role.VIEWER, Role.ACCOUNTANT))), ALL),
        (replace(AGENT, only_own_orders=True), ALL),
        (replace(AGENT, contracts=ALL - contract), contract),
    ]
    return chance.sample(each, len(each))


def race_for_rights(
    acts: Sequence[Act],
    items: Sequence[str],
    *,
    admin: Actor,
    threads: int,
    rounds: int,
    seed: int = 7,
) -> RightsRace:
    """Run threads that act as agents while an admin takes their rights away; new agents per round.

    The first half of the items is only refunded, so that the others keep their vouchers.
    """
    race = RightsRace()
    for number in steps.through(rounds):
        _Round(race, acts, items, admin, f"{seed}-{number}").run(threads)
    return race


class _Round:
    """A round: some agents at work, and an admin who changes each of them once."""

    def __init__(
        self, race: RightsRace, acts: Sequence[Act], items: Sequence[str], admin: Actor, seed: str
    ) -> None:
        self.race, self.acts, self.admin, self.seed = race, acts, admin, seed
        half = len(items) // 2
        self.items = {True: items[:half], False: items[half:]}
        self.changes = changes(random.Random(seed))
        self.agents = {
            self._add(f"a{n}-{seed}@helios.example"): n for n in range(len(self.changes))
        }
        self.numbers = count(int(seed.split("-")[1]) * half // 8)
        self.began, self.is_over = Event(), Event()

    def _add(self, email: str) -> str:
        return access.add_user(email, rights=AGENT, actor=self.admin, now=NOW)

    def run(self, threads: int) -> None:
        """Start the threads of agents and admin at the same time, and wait for all of them."""
        at_once(threads + 1, lambda thread: self._ask(thread) if thread else self._take())

    def _take(self) -> None:
        chance = random.Random(f"{self.seed}-admin")
        try:
            assert self.began.wait(START_SECONDS), f"Nothing was granted: {self.race.refused}"
            for user_id, (rights, contracts) in zip(self.agents, self.changes, strict=True):
                time.sleep(chance.uniform(0, MOST_SECONDS))
                access.change_user(user_id, rights=rights, actor=self.admin, now=NOW)
                email = f"a{self.agents[user_id]}-{self.seed}@helios.example"
                by_now = count_granted(email, contracts)
                self.race.changes.append(Taken(email, contracts, by_now))
        finally:
            self.is_over.set()

    def _ask(self, thread: int) -> None:
        """Send requests as one agent after the other; like a page, read the actor and then call."""
        chance = random.Random(f"{self.seed}-{thread}")
        user_ids = list(self.agents)
        while not self.is_over.is_set():
            actor = actors.find_actor(chance.choice(user_ids))
            if actor is not None:
                self._act(actor, chance.choice(self.acts), f"{self.seed}-{next(self.numbers)}")

    def _act(self, actor: Actor, act: Act, key: str) -> None:
        items = self.items[act is refund]
        try:
            act(actor, items[int(key.rsplit("-", 1)[1]) % len(items)], key)
        except OutsideFailed as error:
            self.race.errors.append(error)
        except AppError as error:
            self.race.refused[type(error).__name__] += 1
        except Exception as error:
            self.race.errors.append(error)
        else:
            self.began.set()
