"""A process that answers requests until it is killed: what it was asked, and what it answered.

An answer counts as given once its line is printed. The same request with the same key must give the
same answer, before and after the kill.
"""

import json
import os
import random
import signal
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from itertools import count
from typing import Any, Generic, TypeVar

from tests.core.forks import forked
from tests.core.refunds.refund_races import at_once

THREADS = 4
MOST_ANSWERS = 30  # before the process is killed
MOST_SECONDS = 0.05  # then the process is killed at a random moment
Answered = TypeVar("Answered")
Asked = dict[str, Any]  # the named arguments of a request, but for its key
_output = threading.Lock()


def answer_without_end(
    seed: str, choose: Callable[[random.Random], Asked], act: Callable[..., Any]
) -> None:
    """Make random requests from a few threads until the process is killed; print each one."""

    def run(thread: int) -> None:
        chance = random.Random(f"{seed}-{thread}")
        for number in count():
            key, asked = f"{seed}-{thread}-{number}", choose(chance)
            _say(asks=key, asked=asked)
            try:
                answer = act(**asked, key=key)
            except BaseException:
                traceback.print_exc()
                os._exit(1)  # else the other threads would continue and hide the error
            _say(answered=key, answer=asdict(answer))

    at_once(THREADS, run)


def _say(**what: object) -> None:
    """Write one whole line."""
    with _output:
        print(json.dumps(what), flush=True)


@dataclass
class Said(Generic[Answered]):
    """The output of a process until it was killed."""

    read: Callable[[Any], Answered]
    asked: dict[str, Asked] = field(default_factory=dict)  # by key
    answered: dict[str, Answered] = field(default_factory=dict)

    @property
    def in_flight(self) -> list[str]:
        """Return the keys of requests without an answer."""
        return sorted(self.asked.keys() - self.answered.keys())

    def hear(self, line: str) -> None:
        """Read one line; an incomplete line does not count."""
        if not line.endswith("\n"):
            return
        what = json.loads(line)
        if "asks" in what:
            self.asked[what["asks"]] = what["asked"]
        else:
            self.answered[what["answered"]] = self.read(what["answer"])

    def ask_in_flight_again(self, act: Callable[..., Answered]) -> None:
        """Repeat requests whose answer was lost."""
        for key in self.in_flight:
            self.answered[key] = act(**self.asked[key], key=key)

    def check_repeats(self, act: Callable[..., Answered]) -> None:
        """Check that a repeat of each request gives the same answer."""
        for key, answer in self.answered.items():
            again = act(**self.asked[key], key=key)
            assert again == answer, f"Key {key} was answered {answer}, and then {again}"


def run_and_kill(
    act: Callable[[str], object],
    seed: str,
    chance: random.Random,
    read: Callable[[Any], Answered],
) -> Said[Answered]:
    """Run a process that answers without end, and kill it in the middle of its work."""
    enough, said = chance.randint(1, MOST_ANSWERS), Said(read)
    with forked(act, seed) as (process, output):
        for line in output:
            said.hear(line)
            if len(said.answered) == enough:
                time.sleep(chance.uniform(0, MOST_SECONDS))
                process.kill()
    assert process.exitcode == -signal.SIGKILL, f"It ended by itself: {process.exitcode}"
    return said
