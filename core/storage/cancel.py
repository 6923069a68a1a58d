"""Ending work that nobody waits for any more, in the middle of its query if need be."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core.storage import engine

CANCEL_SECONDS = 3.0  # to reach PostgreSQL with the word that a query is to end


class Unwanted(Exception):
    """Nobody waits for the outcome any more."""


class Stop:
    """Tells a piece of work in another thread that it is unwanted; safe to `set` at any moment."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._is_set = False
        self._cancel: Callable[[], None] | None = None

    def set(self) -> None:
        """Have the work end: its query if one runs, else at its next `check`."""
        with self._guard:
            self._is_set = True
            if self._cancel is not None:
                self._cancel()

    def check(self) -> None:
        """Raise Unwanted once the work is unwanted."""
        if self._is_set:
            raise Unwanted

    @contextmanager
    def ending(self, session: Session) -> Iterator[None]:
        """Let `set` end the session's queries; Unwanted is raised where it did.

        The session is good for nothing afterwards but to be closed.
        """
        driver: Any = session.connection().connection.driver_connection

        def cancel() -> None:
            if engine.is_sqlite():
                driver.interrupt()
            else:
                driver.cancel_safe(timeout=CANCEL_SECONDS)

        try:
            with self._guard:
                self._cancel = cancel
            self.check()
            yield
        except DBAPIError as error:
            if self._is_set:
                raise Unwanted from error
            raise
        finally:
            with self._guard:  # from here on the connection may be somebody else's
                self._cancel = None
