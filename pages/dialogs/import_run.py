"""A check or an import while it runs, and its result."""

import streamlit as st

from core import imports
from core.access import Actor
from core.imports import Run, State
from pages.grid import download_address, viewer_zone
from pages.shell import acting, current_actor, failures_shown, plain, show_text_table

ASK_SECONDS = 1
SHOWN_FAULTS = 200
SHOWN_CHARACTERS = 500


@st.fragment(run_every=ASK_SECONDS)
def show_running() -> None:
    """Show the progress once a second, and draw the whole page when the run has ended."""
    with failures_shown():
        actor = current_actor()
        run = imports.find_running(actor=actor)
        if run is None:
            st.rerun(scope="app")
        doing = "Importing" if run.state is State.IMPORTING else "Checking"
        by = "" if run.user_id == actor.user_id else f", by {run.email}"
        with st.container(border=True, key="import_running"):
            st.markdown(f"{doing} **{plain(', '.join(run.names))}**{plain(by)}")
            phase = "Cancelling" if run.is_cancelled else run.phase
            st.progress(run.share, text=f"{plain(phase)}…")
            if run.user_id == actor.user_id:
                st.button(
                    "Cancel",
                    key="import_cancel",
                    icon=":material/close:",
                    disabled=run.is_cancelled,
                    on_click=_cancel,
                )
        st.caption("You can leave this page: the work goes on. Only one import runs at a time.")


def show_end(run: Run, actor: Actor) -> None:
    """Show the result of the last files."""
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
    return plain(line if len(line) <= SHOWN_CHARACTERS else f"{line[:SHOWN_CHARACTERS]}…")


def _show_faults(run: Run, actor: Actor) -> None:
    several = len({fault.file for fault in run.faults}) > 1
    lines = [
        ({"File": fault.file} if several else {})
        | {
            "Sheet": fault.sheet,
            "Row": f"{fault.row:,}",
            "Column": fault.column,
            "Value": fault.value,
            "Problem": fault.in_words(),
        }
        for fault in run.faults[:SHOWN_FAULTS]
    ]
    show_text_table(lines, key="import_faults", lines_shown=9)
    count, shown = run.fault_count, len(lines)
    with st.container(horizontal=True, vertical_alignment="center", key="import_faults_below"):
        name, zone = "import_faults", viewer_zone()
        st.link_button(
            "Download Import Errors",
            download_address(f"export/{name}", "export", name, actor=actor, zone=zone),
            icon=":material/download:",
        )
        if count > shown:
            st.caption(
                f"The first {shown:,} of {count:,} import errors are shown. {_in_excel(run)}"
            )
    st.markdown("Fix them in your file and upload it again:")


def _in_excel(run: Run) -> str:
    if run.has_all_faults:
        return "The Excel file has all of them."
    return f"The Excel file has the first {len(run.faults):,}. Check again to list all of them."


@acting
def _cancel(*, actor: Actor) -> None:
    imports.cancel_run(actor=actor)
