"""Import: bring in your own orders from a workbook or CSV files, all or nothing."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from urllib.parse import urlencode

import streamlit as st

from core import excel, import_runs, tokens
from core.errors import AppError
from core.import_runs import Run, State
from core.settings import get_settings
from core.tables import BOOKS
from core.users import Actor
from pages.frame import acting, base_path, current_actor, failures_shown, plain
from pages.grid.state import browser_cookie, viewer_zone
from pages.import_check import show_check
from pages.text_table import show_text_table

ASK_SECONDS = 1
SHOWN_FAULTS = 200
SHOWN_CHARACTERS = 500
ROUND, FAULT = "import_round", "import_fault"


def show_page(actor: Actor) -> None:
    """Draw what is running, or what became of the last files and the way to bring others."""
    running = import_runs.find_running(actor=actor)  # and refuses whoever does not import
    st.title("Import", anchor=False)
    with st.container(key="import"):
        if fault := st.session_state.pop(FAULT, None):
            st.error(plain(fault))
        if running is not None:
            _show_running()
            return
        run = import_runs.find(actor=actor)
        if run is not None and run.state is State.CHECKED and run.check is not None:
            show_check(run, run.check, begin=_import, forget=_forget)
            return
        if run is not None:
            _show_end(run, actor)
        _show_upload()


@st.fragment(run_every=ASK_SECONDS)
def _show_running() -> None:
    """Say how far it is, once a second, and draw the whole page when it is over."""
    with failures_shown():
        actor = current_actor()
        run = import_runs.find_running(actor=actor)
        if run is None:
            st.rerun(scope="app")
        doing = "Importing" if run.state is State.IMPORTING else "Checking"
        by = "" if run.actor.user_id == actor.user_id else f", by {run.actor.email}"
        with st.container(border=True, key="import_running"):
            st.markdown(f"{doing} **{plain(', '.join(run.names))}**{plain(by)}")
            phase = "Cancelling" if run.is_cancelled else run.phase
            st.progress(run.share, text=f"{plain(phase)} …")
            if run.actor.user_id == actor.user_id:
                st.button(
                    "Cancel",
                    key="import_cancel",
                    icon=":material/close:",
                    disabled=run.is_cancelled,
                    on_click=_cancel,
                )
        st.caption("You can leave this page and come back: it goes on. One runs at a time.")


def _show_end(run: Run, actor: Actor) -> None:
    """Say what became of the last files."""
    names = ", ".join(run.names)
    if run.outcome is not None:
        lines = [f"**Imported {plain(names)}**", *map(_cut, run.outcome.in_words().splitlines())]
        st.success("  \n".join(lines), icon=":material/check_circle:")
        st.page_link("orders.py", label="See them on Orders", icon=":material/arrow_forward:")
        return
    icon = ":material/rule:" if run.faults else ":material/error:"
    st.error(f"**{plain(names)}**  \n{plain(run.failure)}", icon=icon)
    if run.faults:
        _show_faults(run, actor)


def _cut(line: str) -> str:
    return plain(line if len(line) <= SHOWN_CHARACTERS else f"{line[:SHOWN_CHARACTERS]} …")


def _show_faults(run: Run, actor: Actor) -> None:
    several = len({fault.file for fault in run.faults}) > 1
    lines = [
        ({"File": fault.file} if several else {})
        | {
            "Sheet": fault.sheet,
            "Row": f"{fault.row:,}",
            "Column": fault.column,
            "Value": fault.value,
            "Problem": fault.problem,
        }
        for fault in run.faults[:SHOWN_FAULTS]
    ]
    show_text_table(lines, key="import_faults", lines_shown=9)
    count, shown = len(run.faults), len(lines)
    with st.container(horizontal=True, vertical_alignment="center", key="import_faults_below"):
        token = tokens.issue("export", table="import_faults", actor=actor, browser=browser_cookie())
        asked = urlencode({"zone": viewer_zone(), "token": token})
        st.link_button(
            "Download Faults",
            f"{base_path()}/export/import_faults?{asked}",
            icon=":material/download:",
        )
        if count > shown:
            st.caption(f"The first {shown:,} of {count:,} are shown; all are in the Excel file.")
    st.markdown("Mend them in your file, and choose it again:")


def _show_upload() -> None:
    """Draw the box for files, what they need to have, and the template."""
    number = st.session_state.setdefault(ROUND, 0)  # another box once its files are taken
    key = f"import_files_{number}"
    limit = min(get_settings().import_max_mb, int(st.get_option("server.maxUploadSize")))
    files = st.file_uploader(
        "A workbook (.xlsx), or CSV files of which each is a table",
        type=[suffix.removeprefix(".") for suffix in import_runs.SUFFIXES],
        accept_multiple_files=True,
        max_upload_size=limit,
        key=key,
    )
    with st.container(horizontal=True, key="import_begin"):
        st.button(
            "Check files",
            type="primary",
            key="import_check",
            icon=":material/fact_check:",
            disabled=not files,
            help=None if files else "Choose files first",
            on_click=_check,
            args=(key,),
        )
        st.download_button(
            "Download Template",
            _template,
            file_name="order-desk-import-template.xlsx",
            icon=":material/download:",
            on_click="ignore",
        )
    with st.container(gap=None):
        st.caption("A check writes nothing: you see what was understood, and then decide.")
        for table in BOOKS:
            needed = ", ".join(column.header for column in table.stored if column.is_required)
            st.caption(f"**{plain(table.title)}** needs {plain(needed)}.")


def _template() -> bytes:
    file = io.BytesIO()
    excel.write_template(file)
    return file.getvalue()


@contextmanager
def _faults_kept() -> Iterator[None]:
    """Keep what is refused for the page to say, where it stays longer than a notice."""
    try:
        yield
    except AppError as error:
        st.session_state[FAULT] = str(error)


@acting
def _check(key: str, *, actor: Actor) -> None:
    files = [(one.name, one) for one in st.session_state.get(key) or []]
    with _faults_kept():
        import_runs.begin_check(files, actor=actor, now=datetime.now(UTC))
        st.session_state[ROUND] = st.session_state.get(ROUND, 0) + 1


@acting
def _import(*, actor: Actor) -> None:
    with _faults_kept():
        import_runs.begin_import(actor=actor, now=datetime.now(UTC))


@acting
def _cancel(*, actor: Actor) -> None:
    import_runs.cancel(actor=actor)


@acting
def _forget(*, actor: Actor) -> None:
    import_runs.forget(actor=actor)


show_page(current_actor())
