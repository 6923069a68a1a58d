"""Test refunds, rights and mail with races and kills on both databases; check Excel in LibreOffice.

`python -m tests.soak` runs every part, `python -m tests.soak refunds mail` some. The exit code is 1
if a figure is missed.
"""

import argparse
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from tests.bench.figures import Figure
from tests.soak.attacks import PARTS, Attack
from tests.soak.databases import KINDS, fresh_databases
from tests.soak.office import open_in_office
from tests.soak.progress import Progress, in_minutes

OFFICE, OFFICE_SECONDS = "excel", 20.0


@dataclass(frozen=True)
class Run:
    """One attack on one kind of database; the LibreOffice check has neither."""

    name: str
    seconds: float
    kind: str = ""
    attack: Attack | None = None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the named parts, or all, on each kind of database."""
    asked = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so the processes end too
    runs = plan(asked.parts or [OFFICE, *PARTS], asked.on or KINDS)
    progress, started = Progress([(run.name, run.seconds) for run in runs]), time.monotonic()
    progress.say(f"{len(runs)} attacks, about {in_minutes(sum(run.seconds for run in runs))}")
    are_met = [_is_met(run, progress) for run in runs]
    progress.say(f"Total time: {in_minutes(time.monotonic() - started)}.")
    return 0 if all(are_met) else 1


def _parser() -> argparse.ArgumentParser:
    names = ", ".join([OFFICE, *PARTS])
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"{names}; all without", type=_known
    )
    parser.add_argument("--on", action="append", choices=KINDS, help="one kind of database alone")
    return parser


def _known(name: str) -> str:
    if name != OFFICE and name not in PARTS:
        raise argparse.ArgumentTypeError(f"{name} is none of {', '.join([OFFICE, *PARTS])}")
    return name


def plan(parts: Sequence[str], kinds: Sequence[str]) -> list[Run]:
    """Return the runs in order, with their expected time."""
    office = [Run("LibreOffice", OFFICE_SECONDS)] if OFFICE in parts else []
    return office + [
        Run(f"{one.attack.__name__} on {kind}", one.seconds, kind, one.attack)
        for kind in kinds
        for part in parts
        for one in PARTS.get(part, ())
    ]


def _is_met(run: Run, progress: Progress) -> bool:
    """Run one attack on a new database, print its figures, and return whether all are met."""
    started, say = time.monotonic(), partial(_say, run, progress)
    with progress.part():
        if run.attack is None:
            is_met = say(open_in_office())
        else:
            with fresh_databases(run.kind) as make:
                try:
                    is_met = say(run.attack(make()))
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
        progress.say(f"{run.kind or 'Excel'}: {figure.measure}: {figure.ours}  {result}".rstrip())
        is_met &= figure.is_met
    return is_met


if __name__ == "__main__":
    sys.exit(main())
