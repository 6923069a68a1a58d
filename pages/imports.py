"""Import: store orders from a workbook or from CSV files, all or nothing."""

from datetime import UTC, datetime

import streamlit as st

from core import imports
from core.access import Actor
from core.imports import State
from pages.dialogs import (
    keeping_refusal,
    show_check,
    show_end,
    show_needs,
    show_recent_imports,
    show_refusal,
    show_running,
    show_upload,
)
from pages.shell import acting, current_actor


def show_page(actor: Actor) -> None:
    """Draw the running check or import, or the result of the last one and the upload box."""
    running = imports.find_running(actor=actor)  # raises NotPermitted without the permission
    st.title("Import", anchor=False)
    with st.container(key="import"):
        show_refusal()
        if running is not None:
            show_running()
            return
        run = imports.find_run(actor=actor)
        if run is not None and run.state is State.CHECKED and run.check is not None:
            show_check(run, run.check, begin=_import, forget=_forget)
            return
        if run is not None:
            show_end(run, actor)
        show_upload()
        show_needs()
        show_recent_imports(actor)


@acting
def _import(*, actor: Actor) -> None:
    with keeping_refusal():
        imports.begin_import(actor=actor, now=datetime.now(UTC))


@acting
def _forget(*, actor: Actor) -> None:
    imports.forget_run(actor=actor)


show_page(current_actor())
