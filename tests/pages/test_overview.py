"""Overview, run without a browser: its texts, and where its figures link to."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest

from core import demo, query
from core.access import Actor
from core.tables import TABLES
from core.views import parse_view
from core.views.codec import from_address
from tests.pages.opened import open_page, texts, values
from tests.rows import make_contract, make_item, make_order, make_refund

TODAY = datetime.now(UTC) - timedelta(minutes=1)
PLOTS, PLOTS_OF_REFUNDS = 8, 3


FIGURE = re.compile(r'<a href="[^?"]*\?([^"]*)" [^>]*><span>([^<]*)</span><strong>([^<]*)<')


def figures(page: AppTest) -> dict[str, tuple[str, str]]:
    """Return each headline figure and the query of its link, by its label."""
    (row,) = [html for html in values(page, "html") if "<strong>" in html]
    return {label: (said, asked) for asked, label, said in FIGURE.findall(row)}


LABELS = {
    "Orders created": "orders",
    "Order items created": "order_items",
    "Amount of these orders": "orders",
    "Refunded in this period": "refunds",
    "Refunded of these items": "order_items",
    "Refund rate of these items": "order_items",
    "Expires within 24 hours": "order_items",
    "Expires within 7 days": "order_items",
}


def test_every_headline_figure_is_what_its_link_shows(database: str, admin: Actor) -> None:
    demo.fill(400, actor=admin, now=TODAY)
    page = open_page("overview", period="All time")
    assert not page.exception
    said = figures(page)
    assert list(said) == list(LABELS)
    for label, (words, asked) in said.items():
        (text,) = parse_qs(asked)["view"]
        view = parse_view(TABLES[LABELS[label]], from_address(text))
        count = query.count_rows(view, actor=admin, now=datetime.now(UTC))
        amount = query.load_totals(view, actor=admin, now=datetime.now(UTC)).get("EUR", 0)
        if label in ("Orders created", "Order items created"):
            assert words == f"{count:,}"
        elif label == "Refund rate of these items":
            assert f"{count:,} of" in texts(page)
        else:
            assert words == f"{amount / 100:,.2f} EUR"
    assert len(page.get("vega_lite_chart")) == PLOTS + PLOTS_OF_REFUNDS


def _show_figures_of_a_standby() -> None:
    from dataclasses import replace
    from datetime import UTC, datetime

    from core import access, overview
    from core.overview import Period, Question
    from pages.charts import show_figures

    actor = access.find_local_actor()
    assert actor is not None
    asked = Question(Period(), "EUR")
    found = overview.load_overview(asked, actor=actor, now=datetime.now(UTC))
    as_of = datetime(2026, 11, 30, 14, 5, 12, tzinfo=UTC)
    show_figures(replace(found, as_of=as_of), "EUR")


def test_figures_of_a_standby_say_how_old_they_are(sqlite_database: str) -> None:
    make_order()
    said = "As of 2026-11-30 14:05:12 (UTC)"
    page = AppTest.from_function(_show_figures_of_a_standby, default_timeout=20).run()
    assert said in texts(page)
    assert "As of" not in texts(open_page("overview", period="All time"))


def test_the_bare_address_leads_to_it(sqlite_database: str) -> None:
    make_order()
    assert open_page("").title[0].value == "Overview"


def test_choices_apply_and_so_does_the_address(sqlite_database: str) -> None:
    make_contract("CT-2")
    make_item(make_order("OD-1", created_at=TODAY))
    make_item(make_order("OD-2", contract_id="CT-2", created_at=TODAY), contract_id="CT-2")
    make_order("OD-3", created_at=TODAY, currency="JPY")
    page = open_page("overview")
    assert figures(page)["Orders created"][0] == "2"
    page.selectbox(key="contract").set_value("CT-2").run()
    assert figures(page)["Orders created"][0] == "1"
    again = open_page("overview", contract="CT-2")
    assert figures(again) == figures(page)
    yen = open_page("overview", currency="JPY")
    assert (yen.selectbox(key="currency").value, figures(yen)["Orders created"][0]) == ("JPY", "1")


def test_a_custom_range_includes_its_first_and_last_day(sqlite_database: str) -> None:
    for day in (9, 10, 11, 12):
        make_order(created_at=datetime(2026, 3, day, 23, 59, tzinfo=UTC))
    days = {"from": "2026-03-11", "to": "2026-03-10"}
    page = open_page("overview", period="Custom range", **days)
    assert figures(page)["Orders created"][0] == "2"


def test_tables_take_the_place_of_charts(sqlite_database: str) -> None:
    make_item(make_order(created_at=TODAY), created_at=TODAY)
    page = open_page("overview", show="Tables")
    assert not page.get("vega_lite_chart")
    tables = [html for html in values(page, "html") if "<table" in html]
    assert len(tables) == PLOTS
    assert all('<a href="/order' in one for one in tables)


def test_hostile_names_stay_text_in_tables_and_lists(sqlite_database: str) -> None:
    hostile = "<script>x</script> **b** :material/home: $x$"
    make_contract(hostile)
    order = make_order(contract_id=hostile, created_at=TODAY)
    make_item(order, contract_id=hostile, airport_iata="<b>", created_at=TODAY)
    for show in ("Tables", "Charts"):
        page = open_page("overview", show=show)
        assert not page.exception
        assert "<script>" not in texts(page)
        assert "<b>" not in texts(page)


def test_an_empty_database_says_what_to_do_next(sqlite_database: str) -> None:
    page = open_page("overview")
    assert "There are no orders yet" in texts(page)
    assert "make demo" in texts(page)
    assert not page.get("vega_lite_chart")


def test_a_period_without_orders_says_so(sqlite_database: str) -> None:
    make_order()
    page = open_page("overview", period="Last 7 days")
    assert "There are no orders in this period" in texts(page)
    assert figures(page)["Orders created"][0] == "0"


def change(page: AppTest, label: str) -> str:
    """Return how a headline figure has changed; empty if the page does not say."""
    (row,) = [html for html in values(page, "html") if "<strong>" in html]
    (tile,) = [one for one in row.split("</a>") if f"<span>{label}</span>" in one]
    found = re.search(r"<small[^>]*>([^<]*)</small>", tile)
    return found[1] if found else ""


def test_figures_are_compared_with_the_period_before(sqlite_database: str) -> None:
    for days_ago, count in ((1, 3), (40, 2)):
        for _ in range(count):
            order = make_order(created_at=TODAY - timedelta(days=days_ago))
            refunded = days_ago > 30
            make_item(
                order,
                created_at=TODAY - timedelta(days=days_ago),
                status="refunded" if refunded else "not_used",
                refunded_at=TODAY if refunded else None,
            )
    page = open_page("overview", period="Last 30 days")
    assert change(page, "Orders created") == change(page, "Amount of these orders") == "50% more"
    assert change(page, "Refunded of these items") == "100% less"
    assert change(page, "Refund rate of these items") == "100.0 points less"
    assert change(page, "Expires within 7 days") == ""
    assert "50% more than before: 2 in the period before" in texts(page)
    assert "compare with the period before" in texts(page)
    whole = open_page("overview", period="All time")
    assert change(whole, "Orders created") == ""
    assert "compare with the period before" not in texts(whole)


def test_all_currencies_stand_side_by_side_and_are_never_added(sqlite_database: str) -> None:
    for amount, currency in ((1000, "EUR"), (2000, "EUR"), (700, "JPY")):
        order = make_order(created_at=TODAY, amount_minor=amount, currency=currency)
        make_item(order, created_at=TODAY, price_minor=amount, currency=currency)
    page = open_page("overview", currency="All currencies")
    assert figures(page)["Orders created"][0] == "3"
    assert "in all currencies" in texts(page)
    (table,) = [html for html in values(page, "html") if "Amounts by currency" in html]
    assert re.findall(r'<th scope="row">(\w+)</th>', table) == ["EUR", "JPY"]
    assert ">30.00 EUR<" in table
    assert ">700 JPY<" in table
    assert "3,7" not in texts(page)
    assert len(page.get("vega_lite_chart")) == PLOTS
    one = open_page("overview", currency="EUR")
    assert figures(one)["Orders created"][0] == "2"
    assert "in EUR" in texts(one)


def test_one_currency_offers_no_choice_of_all(sqlite_database: str) -> None:
    make_order(created_at=TODAY)
    assert open_page("overview").selectbox(key="currency").options == ["EUR"]


@pytest.mark.parametrize("asked", [{"period": "x"}, {"contract": "CT-9"}, {"from": "1", "to": "z"}])
def test_an_address_with_invalid_choices_shows_the_default(
    sqlite_database: str, asked: dict[str, str]
) -> None:
    make_order(created_at=TODAY)
    page = open_page("overview", **asked)
    assert not page.exception
    assert figures(page)["Orders created"][0] == "1"


def test_refunds_are_shown_by_both_days_and_by_reason(sqlite_database: str) -> None:
    item = make_item(make_order(created_at=TODAY), created_at=TODAY, status="refunded")
    make_refund(item, settled_at=TODAY, reason="flight_cancelled", requested_at=TODAY)
    page = open_page("overview", show="Tables")
    assert not page.exception
    titles = [one for one in texts(page).splitlines() if "efund" in one and one.startswith("**")]
    assert [one.split("**")[1] for one in titles] == [
        *("Refund rate by day", "Refund rate by product type", "Refunded amount by day of refund"),
        *("Refunded amount by day of creation", "Refunds by reason"),
    ]
    (reasons,) = [html for html in values(page, "html") if "Flight cancelled" in html]
    assert '<a href="/refunds?view=' in reasons
    assert "38.00 EUR" in reasons
