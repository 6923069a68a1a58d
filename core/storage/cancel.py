"""Cancelling work whose result is no longer needed, even during a query."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core.storage.dialect import query_canceller

CANCEL_SECONDS = 3.0  # timeout of the cancel request to PostgreSQL


class QueryCancelled(Exception):
    """The work was cancelled: its result is no longer needed."""


class CancelToken:
    """Cancels work that runs in another thread. `set` can be called at any time."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._is_cancelled = False
        self._cancel: Callable[[], None] | None = None

    def set(self) -> None:
        """Cancel the work: its running query, if any; otherwise it ends at its next `check`."""
        with self._guard:
            self._is_cancelled = True
            if self._cancel is not None:
                self._cancel()

    def check(self) -> None:
        """Raise QueryCancelled if the work was cancelled."""
        if self._is_cancelled:
            raise QueryCancelled

    @contextmanager
    def cancelling(self, session: Session) -> Iterator[None]:
        """Let `set` end the queries of a session during the block.

        The block then raises QueryCancelled, and the session can only be closed.
        """
        cancel = query_canceller(session, timeout=CANCEL_SECONDS)
        try:
            with self._guard:
                self._cancel = cancel
            self.check()
            yield
        except DBAPIError as error:
            if self._is_cancelled:
                raise QueryCancelled from error
            raise
        finally:
            with self._guard:  # afterwards, another thread may use the connection
                self._cancel = None
