"""The downloads of a view: as Excel or CSV, with its columns or with all of them."""

from typing import Literal
from urllib.parse import urlencode

import streamlit as st

from core import views
from core.access import Actor
from core.excel import FileFormat
from core.views import View
from pages.grid.state import GridState
from pages.web import base_path

NAMES = {FileFormat.XLSX: "Excel", FileFormat.CSV: "CSV"}
# Measured on files of 100,000 rows, for the size that is shown before the click.
BYTES_PER_CELL = {FileFormat.XLSX: 7, FileFormat.CSV: 11}
ROWS_PER_SECOND = 60_000
SLOW_SECONDS = 5
ICON = ":material/download:"


def show_downloads(state: GridState, count: int, *, actor: Actor) -> None:
    """Draw the links to the files of the view, and a popover with other ways to download it."""
    view, label = state.view, "Download Excel"
    is_page = view.order_id is None  # an order has its own download, which comes first
    if is_page or count == 0:
        st.caption(_size_in_words(view, count), width="content")
    if count == 0:
        st.button(label, icon=ICON, disabled=True, key=f"download_{state.place.key}")
        return
    parameters = views.address_of(view, actor=actor) | {"token": state.export_token}
    csv_file = _address(view, parameters, FileFormat.CSV)
    if is_page:
        words = (
            f"The same rows and columns as text (UTF-8), about {_size(view, count, FileFormat.CSV)}"
        )
        st.link_button("Download CSV", csv_file, type="tertiary", help=words)
    hidden = [column.header for column in view.table.offered if column not in view.columns]
    with st.container(horizontal=True, gap=None, width="content", key="downloads"):
        excel_file = _address(view, parameters, FileFormat.XLSX)
        kind: Literal["primary", "secondary"] = "primary" if is_page else "secondary"
        st.link_button(label, excel_file, icon=ICON, type=kind)
        if is_page and not hidden:
            return
        key = f"more_{state.place.key}"
        more = st.popover("More downloads", key=key, on_change=state.touch)
    if more.open:
        with more:
            if not is_page:
                st.link_button("Download CSV", csv_file, icon=ICON)
            if hidden:
                words = f"The same rows, with the hidden columns too: {', '.join(hidden)}"
                _show_links("All columns", words, view, parameters | {"columns": "all"})


def _show_links(label: str, words: str, view: View, parameters: dict[str, str]) -> None:
    """Draw a way to download the view: what it is, and a link to each kind of file."""
    st.caption(words)
    with st.container(horizontal=True, gap="small"):
        for form, name in NAMES.items():
            st.link_button(f"{label}, {name}", _address(view, parameters, form), icon=ICON)


def _address(view: View, parameters: dict[str, str], form: FileFormat) -> str:
    return f"{base_path()}/export/{view.table.name}?{urlencode(parameters | {'form': form})}"


def _size(view: View, count: int, form: FileFormat) -> str:
    kilobytes = max(8, count * len(view.columns) * BYTES_PER_CELL[form] // 1_000)
    return f"{kilobytes:,} kB" if kilobytes < 1_000 else f"{kilobytes / 1_000:,.1f} MB"


def _size_in_words(view: View, count: int) -> str:
    if count == 0:
        return f"Nothing to export: no {view.table.one} matches these filters"
    seconds = count // ROWS_PER_SECOND
    takes = f", ready in about {seconds:,} s" if seconds > SLOW_SECONDS else ""
    size = _size(view, count, FileFormat.XLSX)
    return f"{count:,} row{'s' * (count != 1)}, about {size}{takes}"
