"""Show the running part, its progress, and the remaining time by the plan."""

import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.core import steps

EVERY_SECONDS = {True: 1.0, False: 15.0}  # True: on a terminal


class Progress:
    """Shows the progress of successive parts; `plan` has (name, planned seconds) of each.

    On a terminal it rewrites one line; elsewhere it prints a new line each time.
    """

    def __init__(self, plan: Sequence[tuple[str, float]]) -> None:
        self.plan, self.output, self.number = plan, sys.stdout, 0
        self.started = self.part_started = time.monotonic()
        self.is_terminal = self.output.isatty()
        self.lock = threading.Lock()

    @contextmanager
    def part(self) -> Iterator[None]:
        """Show the progress of the next part while the block runs."""
        self.part_started, is_over = time.monotonic(), threading.Event()
        steps.begin(0)
        thread = threading.Thread(target=self._show, args=[is_over], daemon=True)
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()
            self.number += 1

    def say(self, line: str) -> None:
        """Print a permanent line."""
        with self.lock:
            clear = "\r\x1b[K" if self.is_terminal else ""
            print(f"{clear}{line}", file=self.output, flush=True)

    def _show(self, is_over: threading.Event) -> None:
        while True:
            with self.lock:
                if self.is_terminal:
                    print(
                        f"\r\x1b[K{self.line(time.monotonic())}",
                        end="",
                        file=self.output,
                        flush=True,
                    )
                else:
                    print(f"  … {self.line(time.monotonic())}", file=self.output, flush=True)
            if is_over.wait(EVERY_SECONDS[self.is_terminal]):
                return

    def line(self, now: float) -> str:
        """Return the running part, its progress, the elapsed time and the remaining time."""
        name, planned = self.plan[self.number]
        done, total = steps.said()
        passed = now - self.part_started
        left = planned * (1 - done / total) if total else max(planned - passed, 0)
        left += sum(seconds for _, seconds in self.plan[self.number + 1 :])
        far = f"step {done:,} of {total:,}" if total else "preparing"
        return (
            f"{self.number + 1} of {len(self.plan)}: {name}, {far}, {passed:,.0f} s · "
            f"whole: {in_minutes(now - self.started)} passed, about {in_minutes(left)} left"
        )


def in_minutes(seconds: float) -> str:
    """Return a time in minutes and seconds: 4:05."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
