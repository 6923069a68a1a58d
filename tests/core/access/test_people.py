"""Users: added by e-mail address, changed by admins; at least one admin always remains."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from core import access, query, startup, storage
from core.access import CONSOLE, Actor, Rights
from core.access.actors import LOCAL_USER_ID, find_actor
from core.access.people import EmailTaken, LastAdmin, OwnRights
from core.ground import InvalidInput, NotFound, NotPermitted, Role
from core.storage import AuditEvent, User
from core.tables import USERS
from core.views import parse_view
from tests.conftest import NOW
from tests.core.refunds.refund_races import at_once
from tests.core.refunds.refund_rows import settings
from tests.rows import make_contract

SIGN_IN = {
    "oidc_metadata_url": "https://id.helios.example/.well-known/openid-configuration",
    "oidc_client_id": "desk",
    "oidc_client_secret": "secret",
    "public_url": "https://desk.helios.example",
}
ADMIN = Rights(Role.ADMIN, sees_all_contracts=True)


@pytest.fixture
def signing_in() -> Iterator[None]:
    """Turn sign-in on, with the settings of a provider."""
    with settings(**SIGN_IN, first_admin_email="Chief@Helios.example"):
        yield


def add(email: str, rights: Rights = ADMIN, *, actor: Actor, **given: Any) -> str:
    return access.add_user(email, rights=rights, actor=actor, now=NOW, **given)


def events(prefix: str = "user.") -> list[tuple[str, str, Any, Any]]:
    columns = AuditEvent.action, AuditEvent.entity_id, AuditEvent.before, AuditEvent.after
    statement = select(*columns).where(AuditEvent.action.startswith(prefix))
    with storage.reading() as session:
        return [(*row,) for row in session.execute(statement.order_by(AuditEvent.event_id))]


def admins() -> list[str]:
    is_admin = User.role == "admin", User.is_active, User.user_id != LOCAL_USER_ID
    with storage.reading() as session:
        return sorted(session.scalars(select(User.email).where(*is_admin)))


def test_a_user_is_added_with_their_rights(database: str, admin: Actor) -> None:
    make_contract("CT-1")
    rights = Rights(Role.AGENT, contracts=frozenset({"CT-1"}), only_own_orders=True)
    user_id = add(" Ana@Helios.Example ", rights, actor=admin, name="  Ana   Díaz ")
    person = access.get_person(user_id, actor=admin)
    assert (person.email, person.name, person.rights) == ("ana@helios.example", "Ana Díaz", rights)
    assert not person.has_signed_in
    actor = find_actor(user_id)
    assert actor == Actor(
        user_id,
        "ana@helios.example",
        Role.AGENT,
        contracts=frozenset({"CT-1"}),
        only_own_orders=True,
    )
    ((action, who, before, after),) = events()
    assert (action, who, before) == ("user.added", "ana@helios.example", None)
    assert after["role"] == "agent"
    assert after["contracts"] == ["CT-1"]


@pytest.mark.parametrize(
    "email",
    [
        "",
        "ana",
        "ana@",
        "@helios.example",
        "a b@helios.example",
        "ana@localhost",
        "x@helios.example\x00",
        "a\n@helios.example",
    ],
)
def test_an_invalid_address_is_not_added(sqlite_database: str, admin: Actor, email: str) -> None:
    with pytest.raises(InvalidInput, match="is not a valid e-mail address"):
        add(email, actor=admin)
    assert events() == []


@pytest.mark.both_databases
def test_an_address_is_one_user_in_upper_and_lower_case(database: str, admin: Actor) -> None:
    add("ana@helios.example", actor=admin)
    for again in ("ana@helios.example", "ANA@HELIOS.EXAMPLE", "Ana@Helios.example"):
        with pytest.raises(EmailTaken, match="is already a user"):
            add(again, actor=admin)
    with ThreadPoolExecutor(4) as at_once:
        tries = [at_once.submit(add, "Bob@helios.example", actor=admin) for _ in range(4)]
    failed = [one.exception() for one in tries if one.exception()]
    assert [type(one) for one in failed] == [EmailTaken] * 3
    assert [event[1] for event in events()] == ["ana@helios.example", "bob@helios.example"]


def test_an_unknown_contract_is_refused(database: str, admin: Actor) -> None:
    with pytest.raises(InvalidInput, match="Contract “CT-X” was not found"):
        add("ana@helios.example", Rights(contracts=frozenset({"CT-X"})), actor=admin)
    with pytest.raises(InvalidInput, match=r"^Contract .* was not found"):
        add("ana@helios.example", Rights(contracts=frozenset({"C\x00"})), actor=admin)
    assert events() == []


def test_each_kind_of_change_is_audited_and_takes_effect_at_once(
    database: str, admin: Actor
) -> None:
    make_contract("CT-1")
    user_id = add("ana@helios.example", Rights(Role.VIEWER), actor=admin)
    rights = Rights(Role.AGENT, contracts=frozenset({"CT-1"}), is_active=False)
    access.change_user(user_id, rights=rights, actor=admin, now=NOW)
    assert find_actor(user_id) is None
    access.change_user(user_id, rights=replace(rights, is_active=True), actor=admin, now=NOW)
    actor = find_actor(user_id)
    assert actor is not None
    assert (actor.role, actor.contracts) == (Role.AGENT, frozenset({"CT-1"}))
    assert sorted(action for action, *_ in events()) == [
        "user.added",
        "user.deactivated",
        "user.reactivated",
        "user.role_changed",
        "user.scope_changed",
    ]
    (roles,) = (event[2:] for event in events() if event[0] == "user.role_changed")
    assert roles == ({"role": "viewer"}, {"role": "agent"})
    access.change_user(user_id, rights=replace(rights, is_active=True), actor=admin, now=NOW)
    assert len(events()) == 5  # nothing changed, so there is no event


def test_admins_cannot_change_their_own_rights(database: str, admin: Actor) -> None:
    user_id = add("ana@helios.example", actor=admin)
    ana = find_actor(user_id)
    assert ana is not None
    for rights in (Rights(Role.VIEWER), replace(ADMIN, is_active=False)):
        with pytest.raises(OwnRights):
            access.change_user(user_id, rights=rights, actor=ana, now=NOW)
    with pytest.raises(OwnRights):
        access.forget_sign_in(user_id, actor=ana, now=NOW)
    assert find_actor(user_id) == ana


@pytest.mark.both_databases
@pytest.mark.parametrize(
    "rights",
    [
        Rights(Role.AGENT, sees_all_contracts=True),
        replace(ADMIN, is_active=False),
        replace(ADMIN, sees_all_contracts=False),
        replace(ADMIN, only_own_orders=True),
    ],
)
@pytest.mark.usefixtures("signing_in")
def test_the_last_admin_cannot_be_demoted(database: str, rights: Rights) -> None:
    first = add("ana@helios.example", actor=CONSOLE)
    with pytest.raises(LastAdmin, match="is the last active admin"):
        access.change_user(first, rights=rights, actor=CONSOLE, now=NOW)
    add("bob@helios.example", actor=CONSOLE)
    access.change_user(first, rights=rights, actor=CONSOLE, now=NOW)


@pytest.mark.both_databases
@pytest.mark.usefixtures("signing_in")
def test_two_admins_who_demote_each_other_leave_one_admin(database: str) -> None:
    ids = [add(f"{name}@helios.example", actor=CONSOLE) for name in ("ana", "bob")]
    actors = [find_actor(one) for one in ids]

    def demote(number: int) -> None:
        actor = actors[number]
        assert actor is not None
        access.change_user(ids[1 - number], rights=Rights(), actor=actor, now=NOW)

    with ThreadPoolExecutor(2) as at_once:
        tries = [at_once.submit(demote, number) for number in (0, 1)]
    # The second is no longer an admin.
    assert [type(one.exception()) for one in tries if one.exception()] == [NotPermitted]
    assert len(admins()) == 1
    assert [action for action, *_ in events("users.")] == ["users.refused"]


def test_an_unknown_user_is_not_found(sqlite_database: str, admin: Actor) -> None:
    for user_id in ("x", "a\x00b", ""):
        with pytest.raises(NotFound):
            access.change_user(user_id, rights=ADMIN, actor=admin, now=NOW)


@pytest.mark.usefixtures("signing_in")
def test_the_setting_adds_the_first_admin_once(database: str) -> None:
    for _ in range(2):
        startup.prepare(NOW, may_fill=False)
    assert admins() == ["chief@helios.example"]
    assert events()[0][:2] == ("user.added", "chief@helios.example")
    assert len(events()) == 1


@pytest.mark.both_databases
@pytest.mark.usefixtures("signing_in")
def test_processes_that_start_at_once_add_one_first_admin(database: str) -> None:
    at_once(4, lambda _: access.ensure_someone_can_sign_in(NOW))
    assert admins() == ["chief@helios.example"]
    assert len(events()) == 1


@pytest.mark.usefixtures("signing_in")
def test_the_setting_has_an_effect_only_while_there_is_no_admin(database: str) -> None:
    chief = add("chief@helios.example", Rights(Role.VIEWER, is_active=False), actor=CONSOLE)
    other = add("ana@helios.example", actor=CONSOLE)
    startup.prepare(NOW, may_fill=False)
    assert admins() == ["ana@helios.example"]
    with storage.writing() as session:
        session.get_one(User, other).is_active = False
    startup.prepare(NOW, may_fill=False)
    assert admins() == ["chief@helios.example"]
    actor = find_actor(chief)
    assert actor is not None
    assert actor.sees_everything


@pytest.mark.both_databases
def test_the_table_of_users_shows_their_rights(database: str, admin: Actor) -> None:
    for contract in ("CT-2", "CT-1"):
        make_contract(contract)
    add(
        "zoë@helios.example",
        Rights(contracts=frozenset({"CT-2", "CT-1"})),
        actor=admin,
        name="Zoë MÜLLER",
    )
    raw = {"columns": ["email", "contracts", "has_signed_in", "is_active"], "search": "müller"}
    view = parse_view(USERS, raw)
    frame = query.load_rows(view, actor=admin, now=NOW, start=0, end=10)
    assert frame[["email", "contracts"]].values.tolist() == [["zoë@helios.example", "CT-1, CT-2"]]
    text = {"filterType": "text", "filter": "ct-2"}
    for kind, filters, count in (
        (
            "contains",
            {"contracts": text | {"type": "contains"}},
            1,
        ),
        ("not", {"contracts": text | {"type": "notContains"}}, 1),
        ("role", {"role": {"filterType": "set", "values": ["viewer"]}}, 1),
        ("flag", {"has_signed_in": {"filterType": "set", "values": ["yes"]}}, 0),
        ("scope", {"sees_all_contracts": {"filterType": "set", "values": ["yes"]}}, 1),
    ):
        view = parse_view(USERS, {"filters": filters})
        assert query.count_rows(view, actor=admin, now=NOW) == count, kind
