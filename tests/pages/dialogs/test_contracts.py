"""The page Contracts: change the name and the limit of a contract."""

import pytest
from streamlit.testing.v1 import AppTest

from core import storage
from core.storage import Contract
from tests.pages.opened import grid_says, open_page, texts
from tests.rows import make_contract

NAME = "**Helios** <b>Air</b>"


@pytest.fixture(autouse=True)
def contracts(sqlite_database: str) -> None:
    """Store a contract with a limit, and one in yen without."""
    make_contract("CT-1", name="Helios")
    make_contract("CT-2", currency="JPY")
    with storage.writing() as session:
        session.get_one(Contract, "CT-1").refund_limit_minor = 50_000


def contract(contract_id: str = "CT-1") -> Contract:
    with storage.reading() as session:
        return session.get_one(Contract, contract_id)


def change(*selected: str) -> AppTest:
    page = grid_says(open_page("contracts"), place="contracts", view={}, selected=[*selected])
    page.button(key="change_contract").click().run()
    assert not page.exception
    return page


def save(page: AppTest) -> AppTest:
    page.button(key="contract_confirm").click().run()
    assert not page.exception
    return page


def test_the_page_lists_contracts_and_changes_one_at_a_time() -> None:
    page = open_page("contracts")
    assert page.title[0].value == "Contracts"
    assert "**2** contracts" in texts(page)
    assert page.button(key="change_contract").disabled
    page = grid_says(page, place="contracts", view={}, selected=["CT-1", "CT-2"])
    assert page.button(key="change_contract").disabled
    assert page.button(key="change_contract").help == (
        "Select one contract to change its name or limit"
    )


def test_the_name_is_changed_and_said_as_text() -> None:
    page = change("CT-1")
    assert page.text_input(key="contract_name").value == "Helios"
    assert page.text_input(key="contract_limit").value == "500.00"
    page.text_input(key="contract_name").input(f"  {NAME} ")
    page = save(page)
    assert "CT-1 was changed." in page.toast[0].value
    assert (contract().name, contract().refund_limit_minor) == (NAME, 50_000)
    assert not [one for one in page.button if one.key == "contract_confirm"]


def test_an_empty_limit_is_none() -> None:
    page = change("CT-1")
    page.text_input(key="contract_limit").input(" ")
    save(page)
    assert contract().refund_limit_minor is None


@pytest.mark.parametrize(
    "limit",
    ["abc", "-5", "1,000", "12.345", "NaN", "Infinity", "1e3", "1_000", "٥٠٠", "5 0", "=1+1", ".5"],
)
def test_what_is_no_amount_is_refused_in_words_and_the_dialog_stays(limit: str) -> None:
    page = change("CT-1")
    page.text_input(key="contract_limit").input(limit)
    page = save(page)
    assert [one.value for one in page.error] == [
        "The limit must be an amount in EUR such as 500.00."
    ]
    assert page.text_input(key="contract_limit").value == limit
    assert contract().refund_limit_minor == 50_000


def test_the_example_has_the_decimals_of_the_currency() -> None:
    page = change("CT-2")
    page.text_input(key="contract_limit").input("12.5")
    assert save(page).error[0].value == "The limit must be an amount in JPY such as 500."


def test_an_empty_name_is_refused_in_words() -> None:
    page = change("CT-1")
    page.text_input(key="contract_name").input("  ")
    page = save(page)
    assert page.error[0].value == "A contract needs a name of 1 to 200 characters."


def test_where_there_is_one_user_a_limit_is_refused_with_the_reason() -> None:
    page = change("CT-2")
    page.text_input(key="contract_limit").input("500")
    page = save(page)
    assert "Order Desk has one user here, so nobody could approve" in page.error[0].value
    assert contract("CT-2").refund_limit_minor is None


def test_a_contract_that_is_gone_is_a_sentence() -> None:
    page = grid_says(open_page("contracts"), place="contracts", view={}, selected=["CT-9"])
    page.button(key="change_contract").click().run()
    assert not page.exception
    assert "Contract “CT-9” was not found." in texts(page)
