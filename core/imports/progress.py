"""How far an import is, in words and as a share, and whether somebody still wants it."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from core.ground import AppError

Report = Callable[[str, float], None]


class Cancelled(AppError):
    """Somebody, or the end of the process, has cancelled the import: all of it is undone."""

    def __init__(self) -> None:
        super().__init__("Cancelled; nothing was imported.")


def _unheard(_phase: str, _share: float) -> None:
    """Report to nobody."""


@dataclass(frozen=True)
class Progress:
    """Reports what is done and the share of the whole that is behind, from 0 to 1."""

    report: Report = _unheard
    is_wanted: Callable[[], bool] = lambda: True
    first: float = 0.0
    last: float = 1.0

    def part(self, first: float, last: float) -> "Progress":
        """Return the progress of a part, which lies between two shares of this one."""
        width = self.last - self.first
        return replace(self, first=self.first + width * first, last=self.first + width * last)

    def say(self, phase: str, share: float) -> None:
        """Report; raises Cancelled where it is no longer wanted."""
        if not self.is_wanted():
            raise Cancelled
        self.report(phase, self.first + (self.last - self.first) * min(1.0, max(0.0, share)))


SILENT = Progress()
