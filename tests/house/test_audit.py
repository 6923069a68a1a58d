"""`make audit` says what was found, or that nothing could be asked, and never mixes these up."""

import json
import sys
from typing import Any

import pytest

from tests import audit

SOUND = (3, 11, 10)
BAD = {"id": "PYSEC-1", "fix_versions": ["2.0"], "aliases": [], "description": "…"}


def said(*packages: dict[str, Any]) -> list[str]:
    """Return a command that answers as pip-audit does."""
    answer = json.dumps({"dependencies": packages, "fixes": []})
    return [sys.executable, "-c", f"print({answer!r})"]


def package(name: str, *vulns: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "version": "1.0", "vulns": list(vulns)}


def test_nothing_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.main(said(package("a"), package("b")), SOUND) == 0
    assert capsys.readouterr().out == "make audit: 0 known vulnerabilities in 2 of 2 packages.\n"


def test_what_is_known_is_named_with_its_fix(capsys: pytest.CaptureFixture[str]) -> None:
    unfixed = BAD | {"id": "PYSEC-2", "fix_versions": []}
    assert audit.main(said(package("a"), package("b", BAD, unfixed)), SOUND) == audit.FOUND
    assert capsys.readouterr().out.splitlines() == [
        "b 1.0: PYSEC-1, fixed in 2.0",
        "b 1.0: PYSEC-2, fixed in no version yet",
        "make audit: 2 known vulnerabilities in 2 of 2 packages.",
    ]


def test_a_package_that_was_not_checked_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    skipped = {"name": "b", "skip_reason": "b was not found"}
    assert audit.main(said(package("a"), skipped), SOUND) == audit.NOT_ASKED
    assert capsys.readouterr().out.splitlines() == [
        "Not checked, because the service does not know them: b",
        "make audit: 0 known vulnerabilities in 1 of 2 packages.",
    ]
    assert audit.main(said(package("a", BAD), skipped), SOUND) == audit.FOUND


NONE = json.dumps({"dependencies": [{"name": "a", "skip_reason": "not found"}]})


@pytest.mark.parametrize("printed", ["", "[]", "{}", "<html>", "null", NONE])
def test_an_answer_that_did_not_come_is_no_clean_answer(
    printed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = f"import sys; print({printed!r}); sys.exit('ERROR: no connection')"
    assert audit.main([sys.executable, "-c", code], SOUND) == audit.NOT_ASKED
    *before, last = capsys.readouterr().out.splitlines()
    assert before == ([] if printed == NONE else ["ERROR: no connection"])
    assert last == "make audit: the advisory service did not answer. No package was checked."


@pytest.mark.parametrize(
    ("python", "better"),
    [
        ((3, 11, 7), "3.11.10"),
        ((3, 11, 9), "3.11.10"),
        ((3, 11, 10), None),
        ((3, 12, 5), "3.12.6"),
        ((3, 13, 0), None),
    ],
)
def test_a_python_with_known_vulnerabilities_is_named(
    python: tuple[int, int, int], better: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit.main(said(package("a")), python) == (audit.FOUND if better else 0)
    printed = capsys.readouterr().out
    assert (f"Use Python {better} or newer." in printed) is (better is not None)
