"""The guide names buttons, pages and values as the screen does."""

from pathlib import Path

from tests.docs import PROJECT
from tests.docs.labels import find_unknown

PAGES = [
    PROJECT / "README.md",
    *sorted((PROJECT / "docs/guide").glob("*.md")),
    *(PROJECT / f"docs/{name}.md" for name in ("access", "import", "backup", "operations")),
    PROJECT / "docs/known-limits.md",
]


def test_every_label_that_the_guide_names_is_a_text_of_the_code() -> None:
    assert find_unknown(PAGES, PROJECT) == []


def test_a_label_that_no_text_has_is_reported(tmp_path: Path) -> None:
    (tmp_path / "core").mkdir()
    (tmp_path / "core/a.py").write_text(
        'A = "Download Excel"\nB = f"Refund {len(A):,} items"\nC = "not_used"\n'
    )
    page = tmp_path / "page.md"
    page.write_text(
        "**Download Excel**, *Refund N items*, *Not used*, **A lead.**\n"
        "**Download\nWord** *Expired* *lower case* **Note:**\n```\n**Fence**\n```\n"
    )
    assert find_unknown([page], tmp_path) == [
        "page.md: no text has “Download Word”",
        "page.md: no text has “Expired”",
    ]
