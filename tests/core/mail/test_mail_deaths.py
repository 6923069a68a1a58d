"""Killed workers lose no mail. `make soak` does the same at full size: 60 kills, 600 mails."""

import pytest

from core.access import Actor
from tests.core.mail.mail_deaths import kill_mail_workers, queued_mails

pytestmark = pytest.mark.both_databases


def test_workers_that_are_killed_lose_no_mail_and_say_which_may_be_twice(
    database: str, admin: Actor
) -> None:
    with queued_mails(40, admin) as server:
        met = kill_mail_workers(server, kills=3)
    assert met.sent == met.arrived == 40
    assert len(met.twice) <= met.in_doubt <= 3 * 4  # at most the mails that each worker was sending
