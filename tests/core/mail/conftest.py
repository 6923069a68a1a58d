"""Fixtures of the tests of mail."""

import pytest

from tests.conftest import Fill
from tests.core.mail.mailing import make_shop


@pytest.fixture
def shop(database: str, filled_once: Fill) -> None:
    """Store the orders that mail is about."""
    filled_once(make_shop)
