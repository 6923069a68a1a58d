"""What a change costs: in a copy of the project, in how many files, and that it works there."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.effort import is_thorough
from tests.house.copied_project import PROJECT, copy_project

MIGRATIONS = "core/storage/migrations/versions"
NEWEST = max(path.name[:4] for path in (PROJECT / MIGRATIONS).glob("0*.py"))
NEXT = f"{int(NEWEST) + 1:04}"
MIGRATION = f"{MIGRATIONS}/{NEXT}_a_change.py"
MIGRATES = f'''"""A change that is stored."""

import sqlalchemy as sa
from alembic import op

from core.ground import ProductType, Role
from core.storage.checks import allow_values

revision, down_revision, branch_labels, depends_on = "{NEXT}", "{NEWEST}", None, None


def upgrade() -> None:
    {{}}
'''


@dataclass(frozen=True)
class Change:
    """Edits of files: a text after which another is put; no text makes a new file."""

    costs: int  # files, by docs/contributing.md
    edits: tuple[tuple[str, str | None, str], ...]
    shows: str  # a program that shows that the change works, run in the copy

    @property
    def files(self) -> set[str]:
        return {file for file, _, _ in self.edits}


DERIVED_COLUMN = Change(
    costs=1,
    edits=(
        (
            "core/tables/orders.py",
            "    columns=(\n        NO,\n",
            "        Column(\n"
            '            "is_direct", "Direct", Kind.FLAG, "Whether it came without a widget.",\n'
            "            has_choices=True, is_shown=True,\n"
            "            derived=lambda _now: Order.widget_id.is_(None),\n"
            "        ),\n",
        ),
    ),
    shows="""
make_order("OD-1", widget_id="WGT-1")
make_order("OD-2", widget_id=None)
direct = {"filters": {"is_direct": {"filterType": "set", "values": ["yes"]}}}
view = parse_view(ORDERS, direct)
assert list(query.load_rows(view, start=0, end=9, actor=ADMIN, now=NOW)["order_id"]) == ["OD-2"]
excel.export(view, file, actor=ADMIN, now=NOW)
rows = load_workbook(file)["Orders"].iter_rows(values_only=True)
assert any("Direct" in row for row in rows)
""",
)
STORED_COLUMN = Change(
    costs=3,
    edits=(
        (
            "core/storage/models/orders.py",
            "    widget_id: Mapped[Written | None]",
            "\n    campaign: Mapped[str | None]",
        ),
        (
            "core/tables/orders.py",
            "    columns=(\n        NO,\n",
            '        Column("campaign", "Campaign", Kind.CODE, "Its name.", is_shown=True),\n',
        ),
        (
            MIGRATION,
            None,
            MIGRATES.format('op.add_column("orders", sa.Column("campaign", sa.Text()))'),
        ),
    ),
    shows="""
sheets = plain()
sheets["Orders"][0]["Campaign"] = "Summer"
write_workbook(folder / "orders.xlsx", sheets)
imports.import_files([folder / "orders.xlsx"], actor=ADMIN, now=NOW)
found = query.load_rows(parse_view(ORDERS, {}), start=0, end=9, actor=ADMIN, now=NOW)
assert list(found["campaign"])[0] == "Summer"
""",
)
TABLE = Change(
    costs=3,
    edits=(
        (
            "core/tables/refund_requests.py",
            None,
            '''"""The table of refund requests."""

from core.ground import Permission
from core.storage import RefundBatch
from core.tables.columns import Column, Kind, Table

REQUESTS = Table(
    name="refund_requests",
    title="Refund Requests",
    one="request",
    many="requests",
    model=RefundBatch,
    key="batch_id",
    seen_with=Permission.TRANSACTIONS,
    columns=(
        Column("batch_id", "Request ID", Kind.CODE, "Its ID.", is_shown=True),
        Column("requested_by", "By", Kind.CODE, "Who asked.", has_choices=True, is_shown=True),
        Column("created_at", "Created Date", Kind.INSTANT, "When.", is_shown=True),
    ),
)
''',
        ),
        (
            "core/tables/__init__.py",
            "from core.tables.refunds import REFUND_PREFIX, REFUNDS, TO_APPROVE",
            "\nfrom core.tables.refund_requests import REQUESTS",
        ),
        ("core/tables/__init__.py", "for table in (*BOOKS, EMAILS, ", "REQUESTS, "),
        ("core/tables/__init__.py", "__all__ = [", '\n    "REQUESTS",'),
    ),
    shows="""
from core.tables import TABLES
from tests.rows import make_refund
make_order("OD-7")
make_refund(make_item("OD-7"))
by_ana = {"filters": {"requested_by": {"filterType": "set", "values": ["ana"]}}}
view = parse_view(TABLES["refund_requests"], by_ana)
found = query.load_rows(view, start=0, end=9, actor=ADMIN, now=NOW)
assert list(found["batch_id"]) == ["B"]
excel.export(view, file, actor=ADMIN, now=NOW)
assert load_workbook(file)["Refund Requests"].max_row == 2
""",
)
PAGE = Change(
    costs=2,
    edits=(
        (
            "pages/refund_requests.py",
            None,
            '''"""Requests to refund."""

from core.tables import TABLES
from pages.grid import show_table
from pages.shell import current_actor

show_table(TABLES["refund_requests"], actor=current_actor())
''',
        ),
        (
            "pages/main.py",
            '    st.Page("transactions.py", title="Transactions"): Permission.TRANSACTIONS,\n',
            '    st.Page("refund_requests.py", title="Requests"): Permission.TRANSACTIONS,\n',
        ),
    ),
    shows="""
from streamlit.testing.v1 import AppTest
page = AppTest.from_file("pages/main.py", default_timeout=60).run()
page.switch_page("refund_requests.py").run()
assert not page.exception, page.exception
assert "Refund Requests" in [one.value for one in page.title], page.title
""",
)
PRODUCT_TYPE = Change(
    costs=3,
    edits=(
        ("core/ground/states.py", "class ProductType(StrEnum):\n", '    PARKING = "parking"\n'),
        (
            "core/vouchers/pdf/page.py",
            "_STEPS = {\n",
            '    ProductType.PARKING: ("Go to the car park.", "Show this voucher.", "Park."),\n',
        ),
        (
            MIGRATION,
            None,
            MIGRATES.format(
                'allow_values(op.get_bind(), "order_items", "product_type", ProductType)'
            ),
        ),
    ),
    shows="""
make_order("OD-1")
GIVEN = {"valid_from": NOW, "valid_until": NOW + timedelta(days=9)}
item = make_item("OD-1", product_type="parking", passenger_name="Zoë Müller", **GIVEN)
view = parse_view(ORDER_ITEMS, {"search": "zoë"})
found = query.load_rows(view, start=0, end=9, actor=ADMIN, now=NOW)
assert list(found["product_type"]) == ["parking"]
vouchers.issue([item], file, file_format="pdf", actor=ADMIN, now=NOW)
assert b"%PDF" in file.getvalue()
""",
)
ROLE = Change(
    costs=3,
    edits=(
        ("core/ground/states.py", "class Role(StrEnum):\n", '    AUDITOR = "auditor"\n'),
        (
            "core/access/permissions.py",
            "    Permission.AUDIT_TRAIL: frozenset({",
            "Role.AUDITOR, ",
        ),
        (MIGRATION, None, MIGRATES.format('allow_values(op.get_bind(), "users", "role", Role)')),
    ),
    shows="""
from core.access import Rights, add_user, may
from core.ground import Permission, Role
user = add_user("ada@helios.example", rights=Rights(Role("auditor")), actor=ADMIN, now=NOW)
ada = access.get_person(user, actor=ADMIN)
assert ada.rights.role == "auditor"
actor = make_actor(Role("auditor"))
assert may(actor, Permission.AUDIT_TRAIL) and not may(actor, Permission.REFUND)
""",
)
OPERATOR = Change(
    costs=2,
    edits=(
        (
            "core/views/operators.py",
            '    LAST_7_DAYS = "last7Days"\n',
            '    LAST_30_DAYS = "last30Days"\n',
        ),
        (
            "core/views/operators.py",
            '    Operator.LAST_7_DAYS: "in the last 7 days",\n',
            '    Operator.LAST_30_DAYS: "in the last 30 days",\n',
        ),
        (
            "core/query/days.py",
            "            return today, today\n",
            "        case Operator.LAST_30_DAYS:\n"
            "            return today - timedelta(days=29), today\n",
        ),
    ),
    shows="""
make_order("OD-OLD", created_at=NOW - timedelta(days=31))
make_order("OD-NEW", created_at=NOW - timedelta(days=29))
recent = {"filters": {"created_at": {"filterType": "date", "type": "last30Days"}}}
view = parse_view(ORDERS, recent)
assert list(query.load_rows(view, start=0, end=9, actor=ADMIN, now=NOW)["order_id"]) == ["OD-NEW"]
assert view.in_words() == ["Created Date in the last 30 days"], view.in_words()
""",
)
CHANGES = {
    "a filter operator": OPERATOR,
    "a derived column": DERIVED_COLUMN,
    "a stored column": STORED_COLUMN,
    "a table": TABLE,
    "a table with its page": Change(4, TABLE.edits + PAGE.edits, PAGE.shows),
    "a product type": PRODUCT_TYPE,
    "a role": ROLE,
}
BEGIN = """
import io
import sys
from datetime import timedelta
from pathlib import Path

from openpyxl import load_workbook

from core import access, excel, imports, query, startup, storage, vouchers
from core.tables import ORDER_ITEMS, ORDERS
from core.views import parse_view
from tests.conftest import NOW
from tests.core.imports.imported import plain, write_workbook
from tests.rows import make_actor, make_contract, make_item, make_order

startup.prepare(NOW, may_fill=False)
ADMIN, file, folder = access.find_local_actor(), io.BytesIO(), Path(sys.argv[1])
"""


def apply(change: Change, project: Path) -> None:
    for file, after, text in change.edits:
        path = project / file
        if after is None:
            assert not path.exists(), file
            path.write_text(text)
        else:
            before = path.read_text()
            assert before.count(after) == 1, (file, after)
            path.write_text(before.replace(after, after + text))


def run(project: Path, folder: Path, program: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a project, on an empty database of its own in the folder."""
    settings = {"DATABASE_URL": f"sqlite:///{folder}/orders.db", "DATA_DIR": str(folder)}
    return subprocess.run(
        [sys.executable, "-c", BEGIN + program, str(folder)],
        cwd=project,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_works_and_touches_no_more_files_than_it_should(name: str, tmp_path: Path) -> None:
    change = CHANGES[name]
    assert len(change.files) <= change.costs
    project, folder = tmp_path / "project", tmp_path / "data"
    project.mkdir()
    folder.mkdir()
    copy_project(project)
    apply(change, project)
    done = run(project, folder, change.shows)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", CHANGES if is_thorough() else ["a derived column"])
def test_without_the_change_its_proof_fails(
    name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    done = run(PROJECT, tmp_path_factory.mktemp("data"), CHANGES[name].shows)
    assert done.returncode != 0
