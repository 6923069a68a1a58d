"""Sign-ins with a provider: who gets access, for how long, and when a sign-in ends."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from core import access, storage
from core.__main__ import main
from core.access import CONSOLE, Actor, Rights, SignInNeeded, sign_ins
from core.access.actors import LOCAL_USER_ID
from core.access.sign_ins import NoAccess
from core.ground import NotSignedIn, Role, get_settings
from core.storage import AuditEvent, SignIn, User
from tests.conftest import NOW
from tests.core.access.test_people import SIGN_IN
from tests.core.refunds.refund_rows import settings

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ANA = "ana@helios.example"


@pytest.fixture(autouse=True)
def signing_in() -> Iterator[None]:
    """Turn sign-in on, with an idle limit of half an hour."""
    with settings(**SIGN_IN, sign_in_idle_minutes=30):
        yield


@pytest.fixture
def ana(database: str) -> str:
    """Add a user who has never signed in."""
    rights = Rights(Role.AGENT, sees_all_contracts=True)
    return access.add_user(ANA, rights=rights, actor=CONSOLE, now=NOW)


def claims(at: datetime = NOW, **given: Any) -> dict[str, Any]:
    """Return the claims of an ID token that is issued at an instant and valid for an hour."""
    usual = {
        "iss": "https://id.helios.example",
        "sub": "ana-1",
        "email": "Ana@Helios.Example",
        "email_verified": True,
        "name": "Ana Díaz",
        "nonce": "first",
        "iat": int(at.timestamp()),
        "exp": int((at + 8 * HOUR).timestamp()),
    }
    return {name: value for name, value in (usual | given).items() if value is not None}


def told() -> list[tuple[str, str]]:
    """Return the audit events of sign-ins."""
    rows = select(AuditEvent.action, AuditEvent.actor).order_by(AuditEvent.event_id)
    with storage.reading() as session:
        found = session.execute(rows.where(AuditEvent.entity == "sign_in"))
        return [(action, who) for action, who in found]


@pytest.mark.both_databases
def test_the_first_verified_sign_in_binds_the_account(ana: str) -> None:
    actor = sign_ins.accept_sign_in(claims(), now=NOW)
    assert (actor.user_id, actor.email, actor.role) == (ana, ANA, Role.AGENT)
    with storage.reading() as session:
        user = session.get_one(User, ana)
        assert (user.issuer, user.subject) == ("https://id.helios.example", "ana-1")
        assert user.name == "Ana Díaz"
    again = sign_ins.accept_sign_in(claims(), now=NOW + MINUTE)
    assert again == actor
    assert told() == [("sign_in.succeeded", ANA)]


def test_a_bound_user_is_found_by_account_and_not_by_address(ana: str) -> None:
    sign_ins.accept_sign_in(claims(), now=NOW)
    other = claims(email="new@helios.example", email_verified=False, nonce="second")
    assert sign_ins.accept_sign_in(other, now=NOW).user_id == ana
    thief = claims(sub="somebody-else", nonce="third")
    with pytest.raises(NoAccess, match="signs in with another account"):
        sign_ins.accept_sign_in(thief, now=NOW)
    with pytest.raises(NoAccess, match="signs in with another account"):
        sign_ins.accept_sign_in(claims(iss="https://evil.example", nonce="fourth"), now=NOW)


@pytest.mark.parametrize("verified", [False, None, "true", 1, "yes"])
def test_an_address_that_is_not_verified_binds_nothing(ana: str, verified: object) -> None:
    with pytest.raises(NoAccess, match="has not verified"):
        sign_ins.accept_sign_in(claims(email_verified=verified), now=NOW)
    with storage.reading() as session:
        assert session.get_one(User, ana).issuer is None
    assert told() == [("sign_in.refused", ANA)]


@pytest.mark.parametrize("email", ["eve@evil.example", "analyst@local", None, "", 5])
def test_an_unknown_address_is_refused_and_audited_once(database: str, email: object) -> None:
    for minutes in range(3):
        with pytest.raises(NoAccess, match=r"[Aa]sk an admin of Order Desk"):
            sign_ins.accept_sign_in(claims(email=email), now=NOW + minutes * MINUTE)
    ((action, _who),) = told()
    assert action == "sign_in.refused"


def test_a_user_who_is_added_later_gets_access_with_the_same_sign_in(database: str) -> None:
    with pytest.raises(NoAccess):
        sign_ins.accept_sign_in(claims(), now=NOW)
    access.add_user(ANA, rights=Rights(), actor=CONSOLE, now=NOW)
    assert sign_ins.accept_sign_in(claims(), now=NOW + MINUTE).email == ANA
    assert [action for action, _ in told()] == ["sign_in.refused", "sign_in.succeeded"]


def test_a_deactivated_user_loses_access_at_once(ana: str) -> None:
    actor = sign_ins.accept_sign_in(claims(), now=NOW)
    token = access.issue_token("rows", table="orders", actor=actor, browser="b")
    access.change_user(ana, rights=Rights(is_active=False), actor=CONSOLE, now=NOW)
    with pytest.raises(NoAccess, match="no longer have access"):
        sign_ins.accept_sign_in(claims(), now=NOW)
    with pytest.raises(NotSignedIn):
        access.accept_token(token, "rows", table="orders", browser="b")
    with pytest.raises(NoAccess, match="Ask an admin"):
        sign_ins.accept_sign_in(claims(nonce="second"), now=NOW)


def test_a_change_of_role_takes_effect_at_once(ana: str) -> None:
    sign_ins.accept_sign_in(claims(), now=NOW)
    access.change_user(ana, rights=Rights(Role.ACCOUNTANT), actor=CONSOLE, now=NOW)
    actor = sign_ins.accept_sign_in(claims(), now=NOW)
    assert (actor.role, actor.sees_all_contracts) == (Role.ACCOUNTANT, False)


def test_a_sign_in_ends_when_the_providers_token_expires(ana: str) -> None:
    asked = claims(exp=int((NOW + HOUR / 3).timestamp()))
    actor = sign_ins.accept_sign_in(asked, now=NOW + HOUR / 3 - timedelta(seconds=1))
    for late in (HOUR / 3, HOUR):
        with pytest.raises(SignInNeeded, match="has expired"):
            sign_ins.accept_sign_in(asked, now=NOW + late)
        with pytest.raises(SignInNeeded):
            sign_ins.resume(actor.user_id, actor.sign_in_id, now=NOW + late)


def test_a_sign_in_ends_after_a_long_time_without_requests(ana: str) -> None:
    asked, now = claims(), NOW
    for minutes in (1, 29, 30, 30):
        now += minutes * MINUTE
        actor = sign_ins.accept_sign_in(asked, now=now)
    now += 29 * MINUTE
    sign_ins.resume(actor.user_id, actor.sign_in_id, now=now)  # a request for rows, too
    sign_ins.accept_sign_in(asked, now=now + 30 * MINUTE)
    late = now + 61 * MINUTE
    for _ in range(2):
        with pytest.raises(SignInNeeded, match="inactive for more than 30 minutes"):
            sign_ins.accept_sign_in(asked, now=late)
        with pytest.raises(SignInNeeded):
            sign_ins.resume(actor.user_id, actor.sign_in_id, now=late)
    assert sign_ins.accept_sign_in(claims(late, nonce="second"), now=late).user_id == ana


def test_an_old_unknown_id_token_does_not_start_a_sign_in(ana: str) -> None:
    with pytest.raises(SignInNeeded, match="inactive"):
        sign_ins.accept_sign_in(claims(), now=NOW + 31 * MINUTE)
    assert told() == []


def test_signing_out_ends_the_sign_in_in_all_tabs_and_for_its_tokens(ana: str) -> None:
    actor = sign_ins.accept_sign_in(claims(), now=NOW)
    sign_ins.accept_sign_in(claims(nonce="elsewhere"), now=NOW)
    token = access.issue_token("rows", table="orders", actor=actor, browser="b")
    for _ in range(2):
        sign_ins.end_sign_in(actor, now=NOW)
    with pytest.raises(SignInNeeded, match="You have signed out"):
        sign_ins.accept_sign_in(claims(), now=NOW)
    with pytest.raises(NotSignedIn):
        access.accept_token(token, "rows", table="orders", browser="b")
    assert sign_ins.accept_sign_in(claims(nonce="elsewhere"), now=NOW).user_id == ana
    assert [action for action, _ in told()].count("sign_in.ended") == 1


def test_a_token_is_bound_to_its_sign_in(ana: str) -> None:
    now = datetime.now(NOW.tzinfo)
    actor = sign_ins.accept_sign_in(claims(now), now=now)
    token = access.issue_token("rows", table="orders", actor=actor, browser="b")
    assert access.accept_token(token, "rows", table="orders", browser="b").actor == actor
    for wrong in (
        replace(actor, sign_in_id=None),
        replace(actor, sign_in_id="x"),
        replace(actor, user_id=LOCAL_USER_ID),
        Actor(LOCAL_USER_ID, "analyst@local", Role.ADMIN, sees_all_contracts=True),
    ):
        forged = access.issue_token("rows", table="orders", actor=wrong, browser="b")
        with pytest.raises(NotSignedIn):
            access.accept_token(forged, "rows", table="orders", browser="b")


@pytest.mark.parametrize(
    "fault",
    [
        {"iss": None}, {"iss": ""}, {"iss": 5}, {"iss": "x\n"}, {"sub": None}, {"sub": "x" * 2_000},
        {"sub": "a\x00"}, {"exp": None}, {"exp": "soon"}, {"exp": True}, {"exp": 1e300},
        {"exp": float("nan")}, {"iat": None}, {"iat": [1]},
    ],
)  # fmt: skip
def test_incomplete_claims_are_refused(ana: str, fault: dict[str, Any]) -> None:
    with pytest.raises(SignInNeeded, match="did not say who you are"):
        sign_ins.accept_sign_in(claims(**fault), now=NOW)


@pytest.mark.both_databases
def test_tabs_that_open_at_the_same_time_share_one_sign_in(ana: str) -> None:
    with ThreadPoolExecutor(6) as tabs:
        actors = list(tabs.map(lambda _: sign_ins.accept_sign_in(claims(), now=NOW), range(6)))
    assert {actor.user_id for actor in actors} == {ana}
    assert told() == [("sign_in.succeeded", ANA)]


@pytest.mark.both_databases
def test_an_expired_sign_in_is_deleted_after_a_day(ana: str) -> None:
    sign_ins.accept_sign_in(claims(), now=NOW)
    later = NOW + timedelta(days=3)
    sign_ins.accept_sign_in(claims(later, nonce="second"), now=later)
    with storage.reading() as session:
        assert len(session.scalars(select(SignIn)).all()) == 1


def test_a_user_can_be_bound_to_another_account(ana: str) -> None:
    sign_ins.accept_sign_in(claims(), now=NOW)
    access.forget_sign_in(ana, actor=CONSOLE, now=NOW)
    assert sign_ins.accept_sign_in(claims(sub="ana-2", nonce="second"), now=NOW).user_id == ana
    with pytest.raises(NoAccess):
        sign_ins.accept_sign_in(claims(nonce="third"), now=NOW)


def test_signing_out_by_the_providers_claims_ends_the_sign_in_and_is_audited_once(
    ana: str,
) -> None:
    actor = sign_ins.accept_sign_in(claims(), now=NOW)
    other = sign_ins.accept_sign_in(claims(nonce="second"), now=NOW)
    for minutes in (1, 2):
        sign_ins.sign_out(claims(), now=NOW + minutes * MINUTE)
    with pytest.raises(SignInNeeded, match="You have signed out"):
        sign_ins.accept_sign_in(claims(), now=NOW + 3 * MINUTE)
    with pytest.raises(SignInNeeded, match="You have signed out"):
        sign_ins.resume(ana, actor.sign_in_id, now=NOW + 3 * MINUTE)
    assert told().count(("sign_in.ended", ANA)) == 1
    # The sign-in of another browser stays open.
    assert sign_ins.resume(ana, other.sign_in_id, now=NOW + 3 * MINUTE).user_id == ana


def test_signing_out_twice_is_audited_once(ana: str) -> None:
    sign_ins.end_sign_in(sign_ins.accept_sign_in(claims(), now=NOW), now=NOW)
    sign_ins.sign_out(claims(), now=NOW)
    assert told().count(("sign_in.ended", ANA)) == 1


def test_a_sign_in_that_no_page_has_stored_can_be_ended(ana: str) -> None:
    sign_ins.sign_out(claims(), now=NOW)
    with pytest.raises(SignInNeeded, match="You have signed out"):
        sign_ins.accept_sign_in(claims(), now=NOW)
    assert told() == [("sign_in.ended", ANA)]
    assert sign_ins.accept_sign_in(claims(nonce="second"), now=NOW).user_id == ana


@pytest.mark.both_databases
def test_many_simultaneous_sign_outs_are_audited_once(ana: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: sign_ins.sign_out(claims(), now=NOW), range(16)))
    assert told() == [("sign_in.ended", ANA)]


def test_a_refused_account_signs_out_under_its_own_address(database: str) -> None:
    with pytest.raises(NoAccess):
        sign_ins.accept_sign_in(claims(email="eve@evil.example"), now=NOW)
    sign_ins.sign_out(claims(email="eve@evil.example"), now=NOW)
    sign_ins.sign_out(claims(email=None, nonce="second"), now=NOW)
    ended = [who for action, who in told() if action == "sign_in.ended"]
    assert ended == ["eve@evil.example", "ana-1 of https://id.helios.example"]


def test_the_command_line_acts_as_console(
    sqlite_database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "--orders", "3"]) == 0
    assert "3 sample orders" in capsys.readouterr().out
    with storage.reading() as session:
        filled = select(AuditEvent.actor).where(AuditEvent.action == "orders.demo_filled")
        assert session.scalars(filled).one() == "console"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"oidc_client_id": ""}, "OIDC_CLIENT_ID: must be set too"),
        (
            {"oidc_client_id": "", "oidc_client_secret": ""},
            "OIDC_CLIENT_ID and OIDC_CLIENT_SECRET: must be set too",
        ),
        ({"oidc_metadata_url": "http://id.helios.example/"}, "OIDC_METADATA_URL: must start with"),
        ({"oidc_metadata_url": "id.helios.example"}, "OIDC_METADATA_URL: must start with https"),
        ({"public_url": "http://desk.helios.example"}, "PUBLIC_URL: with sign-in, it must"),
        ({"first_admin_email": "ana"}, "FIRST_ADMIN_EMAIL: is not an e-mail address"),
        ({"sign_in_idle_minutes": "0"}, "SIGN_IN_IDLE_MINUTES: "),
    ],
)
def test_incomplete_sign_in_settings_stop_the_start(given: dict[str, str], said: str) -> None:
    with settings(**SIGN_IN | given), pytest.raises(SystemExit, match=f"cannot start.\n{said}"):
        get_settings()


def seen_at() -> datetime:
    with storage.reading() as session:
        return session.scalars(select(SignIn.seen_at)).one()


@pytest.mark.both_databases
def test_who_reads_does_not_wait_for_a_writer(ana: str) -> None:
    sign_ins.accept_sign_in(claims(), now=NOW)
    with ThreadPoolExecutor(1) as pool:
        with storage.writing() as session:  # such as an import, which takes minutes
            session.execute(select(SignIn).with_for_update()).all()
            reading = pool.submit(sign_ins.accept_sign_in, claims(), now=NOW + 5 * MINUTE)
            assert reading.result(timeout=20).user_id == ana
        assert seen_at() == NOW
        sign_ins.accept_sign_in(claims(), now=NOW + 6 * MINUTE)
    assert seen_at() == NOW + 6 * MINUTE


def test_who_reads_does_not_wait_for_a_writer_in_another_process(ana: str, database: str) -> None:
    sign_ins.accept_sign_in(claims(), now=NOW)
    path = database.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert sign_ins.accept_sign_in(claims(), now=NOW + 5 * MINUTE).user_id == ana
        other.execute("ROLLBACK")
    assert seen_at() == NOW
    with storage.reading() as session:
        assert session.execute(text("PRAGMA busy_timeout")).scalar_one() == 10_000
