"""The assessment of a refund, its results, and their Excel file."""

import io
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import update

from core import refunds, storage
from core.access import Actor
from core.ground import InvalidInput, NotFound, Role
from core.refunds import export_results, get_results
from core.refunds.assessment import BalanceChange
from core.refunds.gateway import Failed, Succeeded, Unknown
from core.refunds.results import COLUMNS
from core.storage import Refund
from tests.conftest import NOW
from tests.core.read_back import open_book, said_in
from tests.core.refunds.refund_rows import (
    AGENT,
    OTHER_AGENT,
    FakeGateway,
    by_card,
    make_card_order,
    make_paid_order,
    make_refundable,
    request,
    settings,
)
from tests.rows import make_contract

DECLINED = "Stripe refused the refund: this card is closed."
NO_ANSWER = "The card provider did not answer. Order Desk will ask again."
ABROAD = replace(AGENT, contracts=frozenset({"CT-1", "CT-JP"}))


@pytest.fixture
def order(database: str) -> str:
    """Store an order that was paid by balance."""
    return make_paid_order("OD-1")


@pytest.fixture
def order_abroad(order: str) -> str:
    """Store an order in yen that was paid by balance."""
    make_contract("CT-JP", currency="JPY")
    return make_paid_order("OD-9", contract_id="CT-JP", currency="JPY", paid=5000)


def make_yen_item(**given: Any) -> str:
    yen = {"contract_id": "CT-JP", "currency": "JPY", "price_minor": 5000}
    return make_refundable("OD-9", **(yen | given))


def read_back(batch_id: str, actor: Actor, zone: str = "Europe/London") -> Any:
    file = io.BytesIO()
    export_results(batch_id, file, actor=actor, now=NOW, zone=zone)
    return open_book(file)


def lines_of(book: Any) -> list[dict[str, Any]]:
    """Return the rows of the first sheet, keyed by header."""
    header, *rows = book["Refunds"].iter_rows()
    names = [cell.value for cell in header]
    return [dict(zip(names, row, strict=True)) for row in rows]


@pytest.mark.both_databases
def test_the_totals_of_a_selection_are_per_currency(order_abroad: str) -> None:
    able = [make_refundable(), make_refundable(price_minor=1250), make_yen_item()]
    used = [make_refundable(status="used"), make_yen_item(status="used")]
    assessment = refunds.assess([*able, *used, "NO-SUCH-ITEM"], actor=ABROAD, now=NOW)
    assert assessment.totals == {"EUR": 5050, "JPY": 5000}
    assert sorted(item.order_item_id for item in assessment.refundable) == sorted(able)
    assert len(assessment.lines) == 6
    refused = {line.order_item_id for line in assessment.lines if line.refusal}
    assert refused == {*used, "NO-SUCH-ITEM"}


@pytest.mark.both_databases
def test_the_shown_balances_equal_the_balances_after_the_refund(order_abroad: str) -> None:
    request(make_refundable(price_minor=700), key="earlier")
    items = [make_refundable(), make_refundable(price_minor=1250), make_yen_item()]
    balances = refunds.assess(items, actor=ABROAD, now=NOW).balances
    assert balances == (
        BalanceChange("CT-1", "CT-1", "EUR", before=700, after=5750),
        BalanceChange("CT-JP", "CT-JP", "JPY", before=0, after=5000),
    )
    request(*items, actor=ABROAD)
    again = refunds.assess(items, actor=ABROAD, now=NOW)
    assert (again.balances, again.totals, again.refundable) == ((), {}, [])


def test_card_refunds_count_in_the_totals_and_not_in_a_balance(order: str) -> None:
    make_card_order("OD-2", reference="pi_1")
    items = [make_refundable("OD-2"), make_refundable(price_minor=1250)]
    with settings(stripe_api_key="sk_test_x"):
        assessment = refunds.assess(items, actor=AGENT, now=NOW)
    assert assessment.totals == {"EUR": 5050}
    assert assessment.balances == (BalanceChange("CT-1", "CT-1", "EUR", before=0, after=1250),)


def test_an_assessment_changes_nothing_and_checks_the_ids(order: str) -> None:
    with pytest.raises(InvalidInput, match="Select 1 to 1,000 order items"):
        refunds.assess([], actor=AGENT, now=NOW)


def test_without_the_right_to_refund_every_item_is_refused(order: str) -> None:
    viewer = replace(AGENT, role=Role.VIEWER)
    lines = refunds.assess([make_refundable()], actor=viewer, now=NOW).lines
    said = [line.refusal.sentence for line in lines if line.refusal]
    assert said == ["Your role, Viewer, cannot refund."]


@pytest.fixture
def all_kinds(order: str) -> tuple[str, dict[str, str]]:
    """Request items for every result; return the batch and the items by result."""
    make_card_order("OD-2", reference="pi_1")
    items = {
        "done": make_refundable(price_minor=1250),
        "declined": make_refundable("OD-2", order_item_id="OD-2-A"),
        "unknown": make_refundable("OD-2", order_item_id="OD-2-B"),
        "used": make_refundable(status="used", passenger_name="=1+1"),
        "not there": "NO-SUCH-ITEM",
    }
    gateway = FakeGateway(Failed(DECLINED), Unknown(NO_ANSWER))
    with settings(stripe_api_key="sk_test_x"):
        answer = request(*items.values(), gateways=by_card(gateway))
    failed = get_results(answer.batch_id, actor=AGENT).frame.set_index("order_item_id")["why"]
    if failed["OD-2-A"] == NO_ANSWER:  # the gateway got the items in the other order
        items["declined"], items["unknown"] = items["unknown"], items["declined"]
    return answer.batch_id, items


@pytest.mark.both_databases
def test_every_item_has_its_result(all_kinds: tuple[str, dict[str, str]]) -> None:
    batch_id, items = all_kinds
    results = get_results(batch_id, actor=AGENT)
    assert (results.requested_by, results.requested_at) == (AGENT.email, NOW)
    assert results.frame.columns.tolist() == [column.name for column in COLUMNS]
    frame = results.frame.set_index("order_item_id").astype(object)
    said: Any = frame.where(frame.notna(), None)
    missing = f"Order item “{items['not there']}” was not found, or you have no access to it."
    facts = ["order_id", "amount_minor", "currency", "result", "why", "settled_at"]
    assert {name: said.loc[item, facts].tolist() for name, item in items.items()} == {
        "done": ["OD-1", 1250, "EUR", "Refunded", None, NOW],
        "declined": ["OD-2", 3800, "EUR", "Not refunded", DECLINED, NOW],
        "unknown": ["OD-2", 3800, "EUR", "In progress", NO_ANSWER, None],
        "used": ["OD-1", None, None, "Not refunded", "It has been used.", None],
        "not there": [None, None, None, "Not refunded", missing, None],
    }
    assert results.totals("Refunded") == {"EUR": 1250}
    assert results.totals("In progress") == {"EUR": 3800}
    assert len(results.having("Not refunded")) == 3


def test_the_frame_has_real_types(all_kinds: tuple[str, dict[str, str]]) -> None:
    frame = get_results(all_kinds[0], actor=AGENT).frame
    assert pd.api.types.is_integer_dtype(frame["amount_minor"])
    assert isinstance(frame["settled_at"].dtype, pd.DatetimeTZDtype)


def test_the_results_in_excel_are_real_values(all_kinds: tuple[str, dict[str, str]]) -> None:
    batch_id, items = all_kinds
    book = read_back(batch_id, AGENT)
    lines = {line["Order Item ID"].value: line for line in lines_of(book)}
    assert set(lines) == set(items.values())
    done = lines[items["done"]]
    assert (done["Amount"].value, done["Amount"].data_type) == (12.5, "n")
    assert done["Amount"].number_format == "#,##0.00"
    settled = done["Settled At (Europe/London)"]
    assert (settled.value, settled.is_date) == (datetime(2026, 11, 23, 9, 30), True)  # noqa: DTZ001
    passenger = lines[items["used"]]["Passenger"]
    assert (passenger.value, passenger.data_type) == ("=1+1", "s")
    blank = lines[items["not there"]]
    assert {name for name, cell in blank.items() if cell.value is None} == {
        *("Order ID", "Product", "Passenger", "Amount", "Currency"),
        "Settled At (Europe/London)",
    }


def test_dates_are_in_the_zone_of_their_header(
    all_kinds: tuple[str, dict[str, str]],
) -> None:
    batch_id, items = all_kinds
    book = read_back(batch_id, AGENT, zone="Asia/Tokyo")
    lines = {line["Order Item ID"].value: line for line in lines_of(book)}
    settled = lines[items["done"]]["Settled At (Asia/Tokyo)"].value
    assert settled == datetime(2026, 11, 23, 18, 30)  # noqa: DTZ001 - a cell has no zone
    assert said_in(book["About this export"])["Exported at"] == ["2026-11-23 18:30:00 (Asia/Tokyo)"]


def test_the_file_names_the_requester(all_kinds: tuple[str, dict[str, str]]) -> None:
    said = said_in(read_back(all_kinds[0], AGENT)["About this export"])
    assert said == {
        "Table": ["Refunds of one request"],
        "Requested by": ["ana@helios.example"],
        "Requested at": ["2026-11-23 09:30:00 (Europe/London)"],
        "Refunded": ["1: 12.50 EUR"],
        "In progress": ["1: 38.00 EUR"],
        "Waiting for approval": ["0"],
        "Not refunded": ["3"],
        "Exported by": ["ana@helios.example"],
        "Exported at": ["2026-11-23 09:30:00 (Europe/London)"],
    }


@pytest.mark.parametrize(
    "name", ["=1+1", "+1", "-1", "@SUM(A1)", "–", "—", "-", "\t=1", "http://a"]
)
def test_a_name_stays_text_in_excel(order: str, name: str) -> None:
    answer = request(make_refundable(passenger_name=name))
    [line] = lines_of(read_back(answer.batch_id, AGENT))
    passenger = line["Passenger"]
    assert (passenger.value, passenger.data_type) == (name, "s")
    assert passenger.hyperlink is None


def test_amounts_without_decimals_are_whole_numbers(order_abroad: str) -> None:
    item = make_yen_item()
    answer = request(item, actor=ABROAD)
    [line] = lines_of(read_back(answer.batch_id, ABROAD))
    assert (line["Amount"].value, line["Currency"].value) == (5000, "JPY")
    assert line["Amount"].number_format == "#,##0"


def test_results_are_for_the_requester_and_admins(order: str, admin: Actor) -> None:
    item = make_refundable()
    answer = request(item)
    assert len(get_results(answer.batch_id, actor=admin).frame) == 1
    for role in (Role.AGENT, Role.VIEWER, Role.ACCOUNTANT):
        other = replace(OTHER_AGENT, role=role, sees_all_contracts=True)
        with pytest.raises(NotFound, match="was not found, or you have no access"):
            get_results(answer.batch_id, actor=other)
        with pytest.raises(NotFound, match="was not found, or you have no access"):
            export_results(answer.batch_id, io.BytesIO(), actor=other, now=NOW, zone="UTC")


@pytest.mark.parametrize("batch_id", ["", "NO-SUCH", "a\x00b", "\ud800", "x" * 10_000])
def test_an_unknown_request_is_not_found(order: str, batch_id: str) -> None:
    with pytest.raises(NotFound, match="was not found, or you have no access"):
        get_results(batch_id, actor=AGENT)


def test_results_hide_items_that_the_reader_cannot_see(order: str) -> None:
    """It does not matter whether the reader could ever see them."""
    make_paid_order("OD-3", contract_id="CT-2")
    theirs = make_refundable("OD-3", contract_id="CT-2", passenger_name="Secret")
    mine = make_refundable()
    answer = request(mine, theirs)
    frame = get_results(answer.batch_id, actor=AGENT).frame.set_index("order_item_id")
    assert frame.loc[theirs, ["order_id", "product", "passenger_name"]].isna().all()
    moved = replace(AGENT, contracts=frozenset())
    frame = get_results(answer.batch_id, actor=moved).frame
    assert frame[["order_id", "product", "passenger_name"]].isna().all(axis=None)


def test_results_follow_a_refund_that_settles_later(order: str) -> None:
    make_card_order("OD-2", reference="pi_1")
    item = make_refundable("OD-2")
    gateway = FakeGateway(Failed(DECLINED), Succeeded("re_1"))
    later = NOW + timedelta(minutes=1)
    with settings(stripe_api_key="sk_test_x"):
        first = request(item, key="1", gateways=by_card(gateway))
        request(item, key="2", now=later, gateways=by_card(gateway))
    [line] = get_results(first.batch_id, actor=AGENT).frame.to_dict("records")
    assert (line["result"], line["settled_at"]) == ("Refunded", later)


@pytest.mark.parametrize(
    ("status", "result"), [("waiting", "Waiting for approval"), ("declined", "Not refunded")]
)
def test_results_show_a_refund_that_another_person_decides(
    order: str, status: str, result: str
) -> None:
    answer = request(make_refundable(), gateways={})
    with storage.writing() as session:
        session.execute(update(Refund).values(status=status))
    [line] = get_results(answer.batch_id, actor=AGENT).frame.to_dict("records")
    assert line["result"] == result
