"""Rights that are lost after a page has read them: nothing is written or exported."""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from core import access, excel, imports, refunds, storage
from core.access import CONSOLE, Actor, rights
from core.access.rights import AccessLost, RightsChanged
from core.ground import (
    AppError,
    NotFound,
    NotPermitted,
    Permission,
    RefundStatus,
    Refused,
    Role,
)
from core.imports import background
from core.imports.progress import Progress
from core.refunds.approval import NOT_WAITING
from core.storage import AuditEvent, Order, Refund, SignIn, User, UserContract, new_id
from tests.conftest import NOW, Fill
from tests.core.access.use_cases import (
    MINE,
    USE_CASES,
    Shop,
    UseCase,
    make_shop,
    take_away,
    wait_for_imports,
)
from tests.core.imports.imported import count
from tests.core.refusals import everything_stored, refusals
from tests.rows import make_actor, make_contract, make_order, store_user

# They answer for each item or refund, instead of raising.
ANSWERED = {
    "refunds.requests.request",
    "refunds.approval.approve",
    "refunds.approval.decline",
}


@pytest.fixture
def shop(database: str, tmp_path: Path, filled_once: Fill) -> Shop:
    """Store a shop."""
    return make_shop(tmp_path, filled_once)


def sign_in(actor: Actor) -> Actor:
    """Return the actor with a sign-in."""
    row = {"sign_in_id": new_id(), "user_id": actor.user_id}
    with storage.writing() as session:
        session.add(SignIn(**row, began_at=NOW, seen_at=NOW, expires_at=NOW))
    return replace(actor, sign_in_id=row["sign_in_id"])


def delete_user(actor: Actor) -> None:
    with storage.writing() as session:
        for model in (UserContract, SignIn, User):
            session.execute(delete(model).where(model.user_id == actor.user_id))


def attempt(shop: Shop, use: UseCase, actor: Actor) -> AppError | None:
    """Run the use case, and return the error that it raised."""
    shop.file.seek(0)
    shop.file.truncate()
    try:
        use.act(shop, actor)
    except AppError as error:
        return error
    return None


# Users without access.

GONE: dict[str, Callable[[Actor], None]] = {
    "deactivated": lambda actor: take_away(actor, is_active=False),
    "deleted": delete_user,
    "signed out": lambda actor: access.end_sign_in(actor, now=NOW),
}


@pytest.mark.both_databases
@pytest.mark.parametrize("loss", GONE)
def test_a_user_without_access_changes_nothing_and_gets_no_file(shop: Shop, loss: str) -> None:
    stale = {actor: sign_in(actor) for actor in (shop.agent, shop.chief)}
    for actor in stale.values():
        GONE[loss](actor)
    before, expected = everything_stored(), []
    for name, use in USE_CASES.items():
        actor = stale[shop.actor(use.permission)]
        assert type(attempt(shop, use, actor)) is AccessLost, name
        assert shop.file.getvalue() == b"", name
        expected.append((f"{use.permission}.refused", actor.email))
        assert refusals() == expected, name
    assert everything_stored() == before


@pytest.mark.both_databases
def test_a_user_with_access_can_run_every_use_case(shop: Shop) -> None:
    for name, use in USE_CASES.items():
        actor = sign_in(shop.actor(use.permission))
        error = attempt(shop, use, actor)
        # The shop is not demo data.
        assert error is None or (name.startswith("demo.") and isinstance(error, Refused)), name
    assert refusals() == []


def test_without_the_guard_a_user_without_access_can_run_every_use_case(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rights, "_confirm", lambda _session, actor, *_: actor)
    for actor in (shop.agent, shop.chief):
        take_away(actor, is_active=False)
    for name, use in USE_CASES.items():
        error = attempt(shop, use, shop.actor(use.permission))
        assert error is None or (name.startswith("demo.") and isinstance(error, Refused)), name
    assert refusals() == []


# Users with a lower role.


def test_a_lowered_role_takes_effect_at_once(shop: Shop) -> None:
    for actor in (shop.agent, shop.chief):
        take_away(actor, role=Role.VIEWER)
    before, expected = everything_stored(), []
    for name, use in USE_CASES.items():
        if use.is_for_viewers and not use.is_file:
            continue
        actor = shop.actor(use.permission)
        error = attempt(shop, use, actor)
        kind = RightsChanged if use.is_for_viewers else NotPermitted
        assert type(error) is kind, name
        assert shop.file.getvalue() == b"", name
        expected.append((f"{use.permission}.refused", actor.email))
        assert refusals() == expected, name
    assert everything_stored() == before


def test_a_lowered_role_keeps_its_remaining_permissions(shop: Shop) -> None:
    take_away(shop.agent, role=Role.VIEWER)
    for name, use in USE_CASES.items():
        if use.is_for_viewers and not use.is_file:
            assert attempt(shop, use, shop.agent) is None, name
    assert refusals() == []


def test_a_former_admin_cannot_change_the_views_of_others(shop: Shop) -> None:
    USE_CASES["views.saved.change_view"].act(shop, shop.agent)  # the view is shared
    take_away(shop.chief, role=Role.AGENT)
    with pytest.raises(NotPermitted, match="belongs to another user"):
        USE_CASES["views.saved.delete_view"].act(shop, shop.chief)


def test_a_raised_role_does_not_refuse_a_file(shop: Shop) -> None:
    take_away(shop.agent, role=Role.ADMIN, sees_all_contracts=True)
    assert attempt(shop, USE_CASES["excel.exports.export"], shop.agent) is None
    assert shop.file.getvalue()[:2] == b"PK"


# Users who lost a contract, or see only their own orders.

SCOPES: dict[str, dict[str, Any]] = {
    "contract": {"contracts": frozenset({"CT-9"}), "sees_all_contracts": False},
    "every contract": {"contracts": frozenset(), "sees_all_contracts": False},
    "orders of others": {"only_own_orders": True},
}


@pytest.mark.both_databases
@pytest.mark.parametrize("loss", SCOPES)
def test_a_user_with_less_scope_changes_nothing_outside_it_and_gets_no_file(
    shop: Shop, loss: str
) -> None:
    make_contract("CT-9")
    for actor in (shop.agent, shop.chief):
        take_away(actor, **SCOPES[loss])
    before = everything_stored()
    for name, use in USE_CASES.items():
        if not use.is_scoped or name in ANSWERED:
            continue
        error = attempt(shop, use, shop.actor(use.permission))
        if use.permission in (Permission.IMPORT, Permission.USERS, Permission.CONTRACTS):
            assert type(error) is NotPermitted, name
        elif use.is_file:
            assert type(error) is RightsChanged, name
        else:
            assert isinstance(error, Refused | NotFound), name
        assert shop.file.getvalue() == b"", name
    assert everything_stored() == before


@pytest.mark.both_databases
@pytest.mark.parametrize("loss", SCOPES)
def test_no_refund_outside_the_reduced_scope_is_decided(shop: Shop, loss: str) -> None:
    make_contract("CT-9")
    take_away(shop.chief, **SCOPES[loss])
    for decide in (refunds.approve, refunds.decline):
        answer = decide([shop.waiting], note="No", key=new_id(), actor=shop.chief, now=NOW)
        assert [one.why for one in answer.results] == [NOT_WAITING]
    with storage.reading() as session:
        assert session.get_one(Refund, shop.waiting).status == RefundStatus.WAITING


@pytest.mark.parametrize("loss", SCOPES)
def test_an_item_outside_the_reduced_scope_is_not_refunded(shop: Shop, loss: str) -> None:
    make_contract("CT-9")
    take_away(shop.agent, **SCOPES[loss])
    assert USE_CASES["refunds.requests.request"].act(shop, shop.agent) == []
    is_asked = AuditEvent.action == "order_item.refund_requested"
    with storage.reading() as session:
        asked = session.scalars(select(AuditEvent.entity_id).where(is_asked))
        assert asked.all() == ["MAILED"]


def test_a_larger_scope_does_not_refuse_a_file(shop: Shop) -> None:
    make_contract("CT-9")
    take_away(shop.agent, contracts=frozenset({MINE, "CT-9"}))
    assert attempt(shop, USE_CASES["excel.exports.export"], shop.agent) is None


def test_listed_contracts_do_not_matter_to_a_user_who_sees_all(database: str) -> None:
    order = make_order()
    actor = make_actor(Role.VIEWER, sees_all_contracts=True, contracts=frozenset({MINE}))
    take_away(actor, contracts=frozenset())
    file = io.BytesIO()
    excel.export_order(order, file, actor=actor, now=NOW, zone="UTC")
    assert file.getvalue()[:2] == b"PK"


# Long-running use cases.


def losing(actor: Actor, at: str, **lost: object) -> Progress:
    """Return a progress callback that takes rights away when the import reaches a phase."""
    seen: list[str] = []

    def report(phase: str, _share: float) -> None:
        if phase == at and at not in seen:
            seen.append(phase)
            take_away(actor, **lost)

    return Progress(report)


@pytest.mark.parametrize("lost", [{"is_active": False}, {"role": Role.AGENT}])
def test_an_import_is_not_stored_if_the_right_is_lost_while_it_reads(
    shop: Shop, lost: dict[str, object]
) -> None:
    progress = losing(shop.chief, "Waiting for other changes to finish", **lost)
    before = count(Order)
    with pytest.raises((AccessLost, NotPermitted)):
        imports.import_files(
            [shop.folder / "new.xlsx"], actor=shop.chief, now=NOW, progress=progress
        )
    assert count(Order) == before
    assert refusals() == [("import.refused", shop.chief.email)]


@pytest.mark.on_postgresql  # SQLite: nobody else writes
def test_an_import_is_rolled_back_if_the_right_is_lost_while_it_writes(shop: Shop) -> None:
    progress = losing(shop.chief, "Saving", is_active=False)
    before = count(Order)
    with pytest.raises(AccessLost):
        imports.import_files(
            [shop.folder / "new.xlsx"], actor=shop.chief, now=NOW, progress=progress
        )
    assert count(Order) == before
    assert refusals() == [("import.refused", shop.chief.email)]


def test_a_background_import_says_that_the_right_was_lost(shop: Shop) -> None:
    file = io.BytesIO((shop.folder / "new.xlsx").read_bytes())
    background.begin_check([("new.xlsx", file)], actor=shop.chief, now=NOW)
    wait_for_imports()
    with storage.writing() as session:
        run = imports.runs.begin_import(session, shop.chief.user_id, NOW)
    take_away(shop.chief, is_active=False)
    background._start(background._import, run, shop.chief)
    wait_for_imports()
    ended = background.find_run(actor=shop.chief)
    assert ended is not None
    assert (ended.state, ended.failure) == (imports.State.FAILED, str(AccessLost()))


# Users and the command line.


def test_the_command_line_needs_no_row(shop: Shop) -> None:
    assert excel.dump(shop.file, actor=CONSOLE, now=NOW)["Orders"] == 2
    access.add_user("x@helios.example", rights=access.Rights(), actor=CONSOLE, now=NOW)
    assert refusals() == []


def test_an_actor_with_the_user_id_console_alone_has_no_access(shop: Shop) -> None:
    for actor in (
        replace(CONSOLE, email="console@helios.example"),
        replace(CONSOLE, sees_all_contracts=False, contracts=frozenset({MINE})),
    ):
        with pytest.raises((AccessLost, NotPermitted)):
            excel.dump(shop.file, actor=actor, now=NOW)


def test_the_sign_in_of_another_user_gives_no_access(shop: Shop) -> None:
    theirs = sign_in(shop.chief).sign_in_id
    actor = replace(shop.agent, sign_in_id=theirs)
    assert type(attempt(shop, USE_CASES["refunds.requests.request"], actor)) is AccessLost


def test_rights_that_were_given_back_are_valid_again(shop: Shop) -> None:
    take_away(shop.agent, is_active=False)
    store_user(shop.agent)
    with storage.writing() as session:
        mine = update(User).where(User.user_id == shop.agent.user_id)
        session.execute(mine.values(is_active=True))
    assert USE_CASES["refunds.requests.request"].act(shop, shop.agent)
