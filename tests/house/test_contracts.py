"""The contracts of import-linter: kept as the code is, and broken by each import they forbid."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.house.copied_project import PROJECT, copy_project, planted

# An import that each contract forbids: in which module, and what it would import.
FORBIDDEN = [
    ("core-without-browser", "core/refunds/rule.py", "import streamlit"),
    ("core-without-browser", "core/query/rows.py", "from starlette.requests import Request"),
    ("core-without-browser", "core/worker.py", "from pages.shell import plain"),
    ("pages-through-core", "pages/orders.py", "import sqlalchemy"),
    ("pages-through-core", "pages/dialogs/refund.py", "from smtplib import SMTP"),
    ("pages-above-core", "core/excel/exports.py", "import pages.grid"),
    ("layers-of-core", "core/storage/engine.py", "from core.access import Actor"),
    ("layers-of-core", "core/tables/columns.py", "from core.access import Actor"),
    ("layers-of-core", "core/vouchers/issuing.py", "from core.refunds import request"),
    ("layers-of-core", "core/nowhere.py", "WHERE = None"),
    ("layers-of-pages", "pages/shell/frame.py", "from pages.grid import GridState"),
    ("layers-of-pages", "pages/web/answers.py", "from pages.routes import answer_rows"),
    ("layers-of-pages", "pages/guards/uploads.py", "from pages.routes import answer_rows"),
    ("pages-apart", "pages/dialogs/refund.py", "import pages.order"),
    ("pages-apart", "pages/orders.py", "import pages.order"),
    ("pages-apart", "pages/transactions.py", "from pages.overview import PAGE"),
    ("faces", "pages/orders.py", "from core.refunds.rule import Reason"),
    ("faces", "core/mail/queue/requests.py", "from core.refunds.assessment import Assessed"),
    ("faces", "pages/order.py", "from pages.dialogs.refund import show_refund"),
    ("door-of-st-aggrid", "pages/overview.py", "import st_aggrid"),
    ("door-of-altair", "pages/overview.py", "import altair"),
    ("door-of-openpyxl", "core/imports/rows.py", "import openpyxl"),
    ("door-of-reportlab", "core/vouchers/pdf/text.py", "from reportlab.lib import colors"),
    ("door-of-uharfbuzz", "core/vouchers/pdf/page.py", "import uharfbuzz"),
    ("door-of-bidi", "core/vouchers/pdf/text.py", "import bidi"),
    ("door-of-smtplib", "core/mail/deliver/delivery.py", "import smtplib"),
    ("door-of-stripe", "core/refunds/settlement.py", "import stripe"),
    ("door-of-python-calamine", "core/excel/workbook.py", "import python_calamine"),
    ("door-of-prometheus-client", "pages/routes/metrics.py", "import prometheus_client"),
    ("door-of-alembic", "core/upkeep/copies.py", "from alembic import command"),
]


def lint(folder: Path, *contracts: str) -> subprocess.CompletedProcess[str]:
    """Run import-linter over a folder: every contract, or those named."""
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    named = [word for one in contracts for word in ("--contract", one)]
    return subprocess.run(
        [sys.executable, "-c", program, "--no-cache", *named],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_project(tmp_path_factory.mktemp("project"))


def test_the_contracts_are_kept(project: Path) -> None:
    done = lint(project)
    assert done.returncode == 0, done.stdout
    assert " 0 broken" in done.stdout


@pytest.mark.parametrize(("contract", "module", "line"), FORBIDDEN)
def test_an_import_that_a_contract_forbids_breaks_it(
    project: Path, contract: str, module: str, line: str
) -> None:
    with planted(project / module, line):
        done = lint(project, contract)
    assert done.returncode == 1, done.stdout
    assert " 1 broken" in done.stdout


def test_each_contract_has_an_import_that_breaks_it() -> None:
    written = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    contracts = {one["id"] for one in written["tool"]["importlinter"]["contracts"]}
    assert {contract for contract, *_ in FORBIDDEN} == contracts
