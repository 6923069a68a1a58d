"""Report the progress of an import, and cancel it."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from core.ground import AppError

Report = Callable[[str, float], None]


class Cancelled(AppError):
    """A person, or the end of the process, cancelled the import: everything is undone."""

    def __init__(self) -> None:
        super().__init__("Cancelled; nothing was imported.")


def _ignore(_phase: str, _share: float) -> None:
    """Do nothing."""


@dataclass(frozen=True)
class Progress:
    """Reports the current phase and the finished part of the whole, from 0 to 1."""

    report: Report = _ignore
    is_cancelled: Callable[[], bool] = lambda: False
    first: float = 0.0
    last: float = 1.0

    def part(self, first: float, last: float) -> "Progress":
        """Return the progress of a part, from `first` to `last` of this one."""
        width = self.last - self.first
        return replace(self, first=self.first + width * first, last=self.first + width * last)

    def say(self, phase: str, share: float) -> None:
        """Report a phase and its finished part; raises Cancelled if the run is cancelled."""
        if self.is_cancelled():
            raise Cancelled
        self.report(phase, self.first + (self.last - self.first) * min(1.0, max(0.0, share)))


SILENT = Progress()
