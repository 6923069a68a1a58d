"""Test refunds, approvals, rights and mail with races and kills on both databases.

The part “excel” opens files in LibreOffice. The part “team” runs three processes behind haproxy on
a primary and a standby, and kills them. `python -m tests.soak` runs every part, `python -m
tests.soak refunds mail` some. The exit code is 1 if a figure is missed.
"""

import argparse
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from tests.bench.figures import Figure
from tests.soak.attacks import PARTS, Attack
from tests.soak.databases import KINDS, fresh_databases
from tests.soak.office import open_in_office
from tests.soak.progress import Progress, in_minutes
from tests.soak.team import work_as_a_team

Measure = Callable[[], Iterator[Figure]]


@dataclass(frozen=True)
class Run:
    """One attack on one kind of database, or one of the parts apart, and its seconds."""

    name: str
    seconds: float
    label: str
    measure: Measure


# Parts with databases of their own, or without one.
APART = {
    "excel": Run("LibreOffice", 20, "Excel", open_in_office),
    "team": Run("team", 450, "Team", work_as_a_team),
}
NAMES = (*APART, *PARTS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the named parts, or all, on each kind of database."""
    asked = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so the processes end too
    runs = plan(asked.parts or NAMES, asked.on or KINDS)
    progress, started = Progress([(run.name, run.seconds) for run in runs]), time.monotonic()
    progress.say(f"{len(runs)} attacks, about {in_minutes(sum(run.seconds for run in runs))}")
    are_met = [_is_met(run, progress) for run in runs]
    progress.say(f"Total time: {in_minutes(time.monotonic() - started)}.")
    return 0 if all(are_met) else 1


def _parser() -> argparse.ArgumentParser:
    names = ", ".join(NAMES)
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"{names}; all without", type=_known
    )
    parser.add_argument("--on", action="append", choices=KINDS, help="one kind of database alone")
    return parser


def _known(name: str) -> str:
    if name not in NAMES:
        raise argparse.ArgumentTypeError(f"{name} is none of {', '.join(NAMES)}")
    return name


def plan(parts: Sequence[str], kinds: Sequence[str]) -> list[Run]:
    """Return the runs in order, with their expected time."""
    apart = [run for name, run in APART.items() if name in parts]
    return apart + [
        Run(f"{one.attack.__name__} on {kind}", one.seconds, kind, _on(kind, one.attack))
        for kind in kinds
        for part in parts
        for one in PARTS.get(part, ())
    ]


def _on(kind: str, attack: Attack) -> Measure:
    """Return an attack on a new database of a kind."""

    def measure() -> Iterator[Figure]:
        with fresh_databases(kind) as make:
            yield from attack(make())

    return measure


def _is_met(run: Run, progress: Progress) -> bool:
    """Run one attack, print its figures, and return whether all are met."""
    started, say = time.monotonic(), partial(_say, run, progress)
    with progress.part():
        try:
            is_met = say(run.measure())
        except AssertionError as broken:
            progress.say(f"{run.name}: {broken}  FAIL")
            is_met = False
    progress.say(f"{run.name} took {time.monotonic() - started:,.0f} s")
    return is_met


def _say(run: Run, progress: Progress, figures: Iterator[Figure]) -> bool:
    """Print a line per figure, and return whether all are met."""
    is_met = True
    for figure in figures:
        result = ("pass" if figure.is_met else "FAIL") if figure.bar else ""
        progress.say(f"{run.label}: {figure.measure}: {figure.ours}  {result}".rstrip())
        is_met &= figure.is_met
    return is_met


if __name__ == "__main__":
    sys.exit(main())
