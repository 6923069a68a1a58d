"""A card provider that fails at random: it may lose requests, payments and answers."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from hypothesis import strategies as st

from core.refunds.gateway import (
    Failed,
    Outcome,
    PaymentAtProvider,
    RefundAtProvider,
    RefundJob,
    Unknown,
)
from tests.conftest import NOW
from tests.core.refunds.card_bank import CardBank
from tests.core.refunds.refund_rows import Killed

LEASE = timedelta(seconds=60)
ENDS = ("answer", "silence", "breaks", "dies", "slow")


class Mood(NamedTuple):
    """What happens to a request: does it arrive, and does the answer arrive?

    A slow answer comes after the lease, when another worker has asked again.
    """

    arrives: bool
    pays: bool
    end: str  # one of ENDS
    is_seen: bool = True  # whether the look-up before it is answered

    def __repr__(self) -> str:
        done = ("pays" if self.pays else "refuses") if self.arrives else "hears nothing"
        return f"<{done}, {self.end}{'' if self.is_seen else ', not seen'}>"


MOODS = st.builds(
    Mood,
    st.booleans(),
    st.booleans(),
    st.sampled_from(ENDS),
    st.sampled_from([True, True, True, False]),
)
WELL = Mood(arrives=True, pays=True, end="answer")


class MoodyBank(CardBank):
    """Decides once per known key, and records the errors of its callers."""

    def __init__(self, others: Callable[[], None]) -> None:
        super().__init__()
        self.others = others
        self.now = NOW
        self.moods = [WELL]
        self.jobs: dict[str, RefundJob] = {}
        self.not_before: dict[str, datetime] = {}
        self.returned: set[str] = set()
        self.faults: list[str] = []  # an error raised here would be caught

    def look_up(self, job: RefundJob) -> PaymentAtProvider | Failed | Unknown | None:
        if self.moods[0].is_seen:
            return super().look_up(job)
        self._next_mood()
        return Unknown("Nobody answers.")

    def refund(self, job: RefundJob) -> Outcome:
        self._check(job)
        mood = self._next_mood()
        if mood.arrives and job.key not in self.keys:
            self.keys[job.key] = self._decide(job) if mood.pays else Failed("No.")
        wait = LEASE if mood.end in ("dies", "slow") else timedelta(seconds=5)
        self.not_before[job.key] = self.now + wait
        self._end(mood)
        if mood.end == "silence" or not mood.arrives:
            return Unknown("Nobody answers.")
        return self.keys.get(job.key, Unknown("The key is forgotten."))

    def look_again(self, reference: str) -> RefundAtProvider | Failed | Unknown:
        mood = self._next_mood()
        self._end(mood)
        if mood.end == "silence" or not mood.is_seen:
            return Unknown("Nobody answers.")
        return super().look_again(reference)

    def _next_mood(self) -> Mood:
        return self.moods.pop(0) if len(self.moods) > 1 else self.moods[0]

    def _end(self, mood: Mood) -> None:
        if mood.end == "slow":
            self.others()
        if mood.end == "breaks":
            raise OSError("The answer is lost")
        if mood.end == "dies":
            raise Killed

    def _check(self, job: RefundJob) -> None:
        before = self.jobs.setdefault(job.key, job)
        same = (job.amount_minor, job.currency, job.reference)
        if same != (before.amount_minor, before.currency, before.reference):
            self.faults.append(f"{job} is unlike {before}")
        if before is not job and not job.was_asked:
            self.faults.append(f"{job} was asked before")
        if self.now < self.not_before.get(job.key, self.now):
            self.faults.append(f"{job} was asked again too soon")

    def wait(self, seconds: int) -> None:
        """Let time pass; keys older than a day are forgotten."""
        self.now += timedelta(seconds=seconds)
        if seconds > 86_400:
            self.forget_keys()

    def give_back(self, reference: str, why: str = "closed account") -> None:
        super().give_back(reference, why)
        self.returned.add(reference)
