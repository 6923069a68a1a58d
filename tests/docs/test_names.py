"""The paths and variables that the documentation names are there."""

from pathlib import Path

from core.ground.settings import Settings
from tests.docs import PROJECT
from tests.docs.names import (
    find_constants,
    find_missing_paths,
    find_unknown_variables,
    read_variables,
)
from tests.docs.pages import find_pages

SETTINGS = {name.upper() for name in Settings.model_fields}
FILES = [PROJECT / "app.py", *(PROJECT / "core").rglob("*.py"), *(PROJECT / "pages").rglob("*.py")]
SOURCES = [path.read_text() for path in FILES]
READ = {name for source in SOURCES for name in read_variables(source)}
CONSTANTS = {name for source in SOURCES for name in find_constants(source)}


def test_every_path_that_a_page_names_is_there() -> None:
    assert find_missing_paths(find_pages(), PROJECT) == []


def test_every_variable_and_constant_that_a_page_names_is_there() -> None:
    assert find_unknown_variables(find_pages(), SETTINGS | READ | CONSTANTS, PROJECT) == []


def test_every_variable_that_is_read_is_on_the_page_of_settings() -> None:
    text = (PROJECT / "docs/settings.md").read_text()
    assert {"STREAMLIT_SERVER_PORT", "STREAMLIT_SERVER_ADDRESS"} <= READ
    assert [name for name in sorted(READ | SETTINGS) if f"`{name}`" not in text] == []


def test_variables_that_are_read_are_found() -> None:
    source = (
        'os.environ.get("A_B")\nos.environ["C_D"]\nos.getenv(\'E\')\n'
        'st.get_option("server.baseUrlPath")\n'
    )
    expected = {"A_B", "C_D", "E", "STREAMLIT_SERVER_BASE_URL_PATH"}
    assert set(read_variables(source)) == expected


def test_a_missing_path_and_an_unknown_variable_are_reported(tmp_path: Path) -> None:
    (tmp_path / "core").mkdir()
    (tmp_path / "core/here.py").write_text("")
    page = tmp_path / "page.md"
    page.write_text(
        "`core/here.py`, `core/gone.py`, core/prose.py; `SMTP_HOST=mail A_SETTING`\n"
        "```\ncore/fence.py\n```\n"
    )
    assert find_missing_paths([page], tmp_path) == ["page.md: core/gone.py is not there"]
    assert find_unknown_variables([page], {"SMTP_HOST"}, tmp_path) == [
        "page.md: nothing reads A_SETTING"
    ]
