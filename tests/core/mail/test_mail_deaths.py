"""Killed workers lose no mail. `make soak` does the same at full size: 60 kills, 600 mails."""

import pytest

from core.access import Actor
from tests.core.mail.mail_deaths import kill_mail_workers, queued_mails
from tests.effort import some

pytestmark = pytest.mark.both_databases
MAILS, KILLS = some(20, 200), some(1, 10)


def test_workers_that_are_killed_lose_no_mail_and_say_which_may_be_twice(
    database: str, admin: Actor
) -> None:
    with queued_mails(MAILS, admin) as server:
        met = kill_mail_workers(server, kills=KILLS)
    assert met.sent == met.arrived == MAILS
    # At most the mails that each worker was sending.
    assert len(met.twice) <= met.in_doubt <= KILLS * 4
