"""What a page adds to its table: actions, an explanation, notices."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from core.access import Actor
from pages.grid.explained import Explanation
from pages.grid.state import GridState


class Actions(Protocol):
    """Draws the buttons that act on the selected rows."""

    def __call__(self, state: GridState, *, actor: Actor) -> None:
        """Draw the buttons in the line of the tools."""


@dataclass(frozen=True)
class Extras:
    """What a page adds. With a main action among its own, no download is the main one."""

    actions: Actions | None = None
    explains: Explanation | None = None
    notice: Callable[[], None] | None = None
    has_main_action: bool = False

    def show_notice(self) -> None:
        """Draw what the page has to say, if anything."""
        if self.notice is not None:
            self.notice()
