"""Vouchers as PDF, compared with platypus: CPU time, size and memory."""

import io
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from core.vouchers import Voucher, render_vouchers
from tests.bench.extent import some
from tests.bench.figures import Figure, in_seconds, memory_figure
from tests.bench.processes import PROJECT
from tests.vouchers import BRANDING, make_vouchers

MANY = some(1_000, 100)
ROUNDS = {("ours", MANY): 3, ("platypus", MANY): 1}  # for one voucher, the repetitions below
ROUNDS_OF_ONE = 30
MIN_RATIO_ONE, MIN_RATIO_MANY = 10, 35
MAX_MEGABYTES, MAX_ADDED = 4, 40
ALTERNATIVE = "platypus: "


@dataclass(frozen=True)
class Rendering:
    """The cost of rendering in its own process."""

    seconds: float  # CPU time per file
    megabytes: float  # of the file
    added: float  # in MiB: the memory at its peak, above that of a process that has made one


def measure_vouchers() -> Iterator[Figure]:
    """Render one voucher, and a thousand merged, both ways."""
    one, other_one = _rendered("ours", 1), _rendered("platypus", 1)
    yield _faster("One voucher as PDF: CPU", one, other_one, MIN_RATIO_ONE)
    many, other_many = _rendered("ours", MANY), _rendered("platypus", MANY)
    yield _faster(f"{MANY:,} vouchers merged: CPU", many, other_many, MIN_RATIO_MANY)
    size = f"{many.megabytes:.1f} MB"
    yield Figure(
        f"{MANY:,} vouchers merged: size",
        size,
        f"{ALTERNATIVE}{other_many.megabytes:.1f} MB",
        other_many.megabytes / many.megabytes,
        f"under {MAX_MEGABYTES} MB",
        many.megabytes < MAX_MEGABYTES,
    )
    yield memory_figure(f"{MANY:,} vouchers merged: memory added", many.added, MAX_ADDED)


def _faster(measure: str, ours: Rendering, other: Rendering, least: float) -> Figure:
    ratio = other.seconds / ours.seconds
    said = ALTERNATIVE + _in_time(other.seconds)
    bar = f"{least} times faster"
    return Figure(measure, _in_time(ours.seconds), said, ratio, bar, ratio >= least)


def _in_time(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds < 0.1 else in_seconds(seconds)


def _rendered(how: str, count: int) -> Rendering:
    command = [sys.executable, "-m", "tests.bench.voucher_pdfs", how, str(count)]
    done = subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, text=True)
    return Rendering(**json.loads(done.stdout))


def _render(how: str, count: int) -> Rendering:
    """Render in this process after a warm-up; a single voucher several times, each different."""
    render = _ours if how == "ours" else _platypus
    rounds = ROUNDS.get((how, count), ROUNDS_OF_ONE)
    render(make_vouchers(1))
    size, times, before = 0, [], _peak_megabytes()
    for number in range(rounds):
        vouchers = make_vouchers(count, first=1 + count * number)
        started = time.process_time()
        size = len(render(vouchers))
        times.append(time.process_time() - started)
    seconds = median(times)
    return Rendering(seconds, size / 1e6, _peak_megabytes() - before)


def _peak_megabytes() -> float:
    """Return the memory peak of this process; ru_maxrss would include its parent's."""
    lines = Path("/proc/self/status").read_text().splitlines()
    peak = next(line for line in lines if line.startswith("VmHWM"))
    return int(peak.split()[1]) / 1024


def _ours(vouchers: list[Voucher]) -> bytes:
    file = io.BytesIO()
    render_vouchers(vouchers, BRANDING, file)
    return file.getvalue()


def _platypus(vouchers: list[Voucher]) -> bytes:
    from tests.bench import platypus_vouchers  # imported here: its memory must not count for ours

    return platypus_vouchers.render(vouchers, BRANDING)


if __name__ == "__main__":
    print(json.dumps(vars(_render(sys.argv[1], int(sys.argv[2])))))
