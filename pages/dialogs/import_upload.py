"""The upload box of Import: files are copied and checked; a refusal stays on the page."""

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
from pages.shell import acting, plain

ROUND, FAULT = "import_round", "import_fault"


def show_upload() -> None:
    """Draw the upload box, its buttons, and the template."""
    number = st.session_state.setdefault(ROUND, 0)  # a new, empty box after each check
    key = f"import_files_{number}"
    limit = min(get_settings().import_max_mb, int(st.get_option("server.maxUploadSize")))
    files = st.file_uploader(
        "A workbook (.xlsx), or CSV files with one table each",
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
        st.caption("A check stores nothing. You see the result first, and then decide.")
        st.caption(f"All files together: at most {get_settings().uploads_max_mb_per_person:,} MB.")


def _template() -> bytes:
    file = io.BytesIO()
    excel.write_template(file)
    return file.getvalue()


def show_refusal() -> None:
    """Draw the refusal of the last action, once."""
    if fault := st.session_state.pop(FAULT, None):
        st.error(plain(fault))


@contextmanager
def keeping_refusal() -> Iterator[None]:
    """Keep a refusal for the page to show, where it stays longer than a toast."""
    try:
        yield
    except AppError as error:
        st.session_state[FAULT] = str(error)


@acting
def _check(key: str, *, actor: Actor) -> None:
    files = st.session_state.get(key) or []
    with keeping_refusal():
        named = [(one.name, one) for one in files]
        imports.begin_check(named, actor=actor, now=datetime.now(UTC))
        _drop(files)
        st.session_state[ROUND] = st.session_state.get(ROUND, 0) + 1


def _drop(files: Sequence[UploadedFile]) -> None:
    """Remove copied files from memory; Streamlit would keep them while the page is open."""
    context = get_script_run_ctx()
    assert context is not None
    kept = cast(MemoryUploadedFileManager, context.uploaded_file_mgr)
    for one in files:
        kept.remove_file(context.session_id, one.file_id)
