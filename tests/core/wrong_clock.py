"""A machine whose clock is wrong."""

import time
from datetime import timedelta

import pytest


def set_clock(monkeypatch: pytest.MonkeyPatch, ahead: timedelta) -> None:
    """Let this machine's clock be wrong."""
    right = time.time
    monkeypatch.setattr(time, "time", lambda: right() + ahead.total_seconds())
