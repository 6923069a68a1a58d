"""Import: bring in your own orders from a workbook or CSV files, all or nothing."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import cast

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from core import excel, imports
from core.access import Actor
from core.ground import AppError, get_settings
from core.imports import State
from core.tables import BOOKS
from pages.dialogs import show_check, show_end, show_running
from pages.shell import acting, current_actor, plain

ROUND, FAULT = "import_round", "import_fault"


def show_page(actor: Actor) -> None:
    """Draw what is running, or what became of the last files and the way to bring others."""
    running = imports.find_running(actor=actor)  # and refuses whoever does not import
    st.title("Import", anchor=False)
    with st.container(key="import"):
        if fault := st.session_state.pop(FAULT, None):
            st.error(plain(fault))
        if running is not None:
            show_running()
            return
        run = imports.find_run(actor=actor)
        if run is not None and run.state is State.CHECKED and run.check is not None:
            show_check(run, run.check, begin=_import, forget=_forget)
            return
        if run is not None:
            show_end(run, actor)
        _show_upload()


def _show_upload() -> None:
    """Draw the box for files, what they need to have, and the template."""
    number = st.session_state.setdefault(ROUND, 0)  # another box once its files are taken
    key = f"import_files_{number}"
    limit = min(get_settings().import_max_mb, int(st.get_option("server.maxUploadSize")))
    files = st.file_uploader(
        "A workbook (.xlsx), or CSV files of which each is a table",
        type=[suffix.removeprefix(".") for suffix in imports.SUFFIXES],
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
        st.caption(f"All files together: {get_settings().uploads_max_mb_per_person:,} MB at most.")
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
    files = st.session_state.get(key) or []
    with _faults_kept():
        named = [(one.name, one) for one in files]
        imports.begin_check(named, actor=actor, now=datetime.now(UTC))
        _drop(files)
        st.session_state[ROUND] = st.session_state.get(ROUND, 0) + 1


def _drop(files: Sequence[UploadedFile]) -> None:
    """Take files that were copied out of memory, where they stay as long as the page is open."""
    context = get_script_run_ctx()
    assert context is not None
    kept = cast(MemoryUploadedFileManager, context.uploaded_file_mgr)
    for one in files:
        kept.remove_file(context.session_id, one.file_id)


@acting
def _import(*, actor: Actor) -> None:
    with _faults_kept():
        imports.begin_import(actor=actor, now=datetime.now(UTC))


@acting
def _forget(*, actor: Actor) -> None:
    imports.forget_run(actor=actor)


show_page(current_actor())
