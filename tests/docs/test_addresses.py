"""Every address of PostgreSQL in the documentation and in deploy/ works as it stands."""

from pathlib import Path

from tests.docs import PROJECT
from tests.docs.addresses import find_broken_addresses
from tests.docs.pages import find_pages


def test_every_address_leads_to_its_hosts() -> None:
    deployed = [PROJECT / "deploy/desk.env", PROJECT / "deploy/compose.yaml"]
    assert find_broken_addresses([*find_pages(), *deployed], PROJECT) == []


def test_hosts_that_are_joined_by_a_comma_are_reported(tmp_path: Path) -> None:
    good = "postgresql+psycopg://desk:PASSWORD@/orders?host=one:5432&host=two:5432"
    bad = "postgresql+psycopg://desk:PASSWORD@/orders?host=one:5432,two:5432"
    worse = "postgresql+psycopg://desk:PASSWORD@/orders?host=one,host=two"
    page = tmp_path / "page.md"
    page.write_text(f"```\nDATABASE_URL={good}\nDATABASE_URL={bad}\n```\n`{worse}`\n")
    assert find_broken_addresses([page], tmp_path) == [
        f"page.md: {bad} does not lead to its hosts",
        f"page.md: {worse} does not lead to its hosts",
    ]
