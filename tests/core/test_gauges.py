"""The numbers for the metrics: what waits, for how long, and what this process does."""

from datetime import timedelta
from typing import Any

import pytest

from core import access, gauges, mail, refunds, storage, worker
from core.access import Actor
from core.access.sign_ins import NoAccess
from core.gauges import Waiting
from core.ground import counted
from tests.conftest import NOW, free_port, use_database
from tests.core.access.test_people import SIGN_IN
from tests.core.access.test_sign_ins import claims
from tests.core.refunds.refund_races import UNSETTLED
from tests.core.refunds.refund_rows import settings
from tests.core.refunds.sold_items import sell
from tests.core.refunds.worker_deaths import changed

LATER = NOW + timedelta(minutes=5)


@pytest.mark.both_databases
def test_work_that_waits_is_counted_with_the_age_of_the_oldest(database: str, admin: Actor) -> None:
    with changed({"RUN_WORKER": "false"}):
        work = gauges.load_gauges(NOW).work
        assert work is not None
        assert (work.open_refunds, work.queued_mails) == (Waiting(0, 0.0), Waiting(0, 0.0))
        assert (work.is_mail_paused, work.worker_silent_seconds) == (False, None)
        first, second, third = sell(3)
        for item, at in ((first, NOW), (second, LATER)):
            asked: dict[str, Any] = {"reason": "goodwill", "key": item, "gateways": UNSETTLED}
            refunds.request([item], actor=admin, now=at, **asked)
        mail.send([third], ["zoe@mail.example"], message=None, key="m", actor=admin, now=NOW)
        worker._store_heartbeat(NOW)
        with storage.writing() as session:
            storage.put_fact(session, "mail_paused", PAUSED)
        work = gauges.load_gauges(LATER).work
        assert work is not None
        assert (work.open_refunds, work.queued_mails) == (Waiting(2, 300.0), Waiting(1, 300.0))
        assert (work.is_mail_paused, work.worker_silent_seconds) == (True, 300.0)


PAUSED = '{"why": "x", "since": "2026-11-23T09:30:00+00:00", "until": "2026-11-23T09:31:00+00:00"}'


def test_connections_in_use_are_counted(sqlite_database: str) -> None:
    assert gauges.load_gauges(NOW).connections_in_use == 0
    with storage.reading() as session:
        session.connection()
        found = gauges.load_gauges(NOW)
        assert found.connections_in_use == 1
        assert found.most_connections > 1


def test_a_database_that_is_away_leaves_the_numbers_of_the_process() -> None:
    use_database(f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/none")
    found = gauges.load_gauges(NOW)
    assert (found.work, found.is_ready, found.is_import_running) == (None, False, False)


def test_a_refused_sign_in_is_counted_once(sqlite_database: str) -> None:
    before = counted("sign_in.refused")
    with settings(**SIGN_IN, sign_in_idle_minutes=30):
        for _ in range(3):
            with pytest.raises(NoAccess):
                access.accept_sign_in(claims(email="eve@evil.example"), now=NOW)
        with pytest.raises(NoAccess):
            access.accept_sign_in(claims(email="eve@evil.example", nonce="again"), now=NOW)
    assert gauges.load_gauges(NOW).sign_ins_refused == before + 2
