"""The downloads of a view as Excel or CSV: all rows or the selected ones, or all columns."""

from typing import Literal
from urllib.parse import urlencode

import streamlit as st
from streamlit.elements.lib.mutable_popover_container import PopoverContainer

from core import views
from core.access import Actor
from core.excel import FileFormat
from core.views import View, describe_keys
from pages.grid.state import GridState
from pages.web import base_path

NAMES = {FileFormat.XLSX: "Excel", FileFormat.CSV: "CSV"}
# Measured on files of 100,000 rows, for the size that is shown before the click.
BYTES_PER_CELL = {FileFormat.XLSX: 7, FileFormat.CSV: 11}
ROWS_PER_SECOND = 60_000
SLOW_SECONDS = 5
LABEL, ICON = "Download Excel", ":material/download:"


def show_downloads(state: GridState, count: int, *, actor: Actor, is_main: bool = True) -> None:
    """Draw the links to the files of the view, and a popover with other ways to download it.

    When rows are selected, the popover says so, and has their files first. Unless it `is_main`, the
    page has another main action.
    """
    view = state.view
    is_page = view.order_id is None  # an order has its own download, which comes first
    if is_page or count == 0:
        st.caption(_size_in_words(view, count), width="content")
    if count == 0 and not state.selected:
        _show_disabled(state)
        return
    parameters = _parameters(state, view, actor)
    if is_page and count:
        csv_file = _address(view, parameters, FileFormat.CSV)
        words = (
            f"The same rows and columns as text (UTF-8), about {_size(view, count, FileFormat.CSV)}"
        )
        st.link_button("Download CSV", csv_file, type="tertiary", help=words)
    with st.container(horizontal=True, gap=None, width="content", key="downloads"):
        excel_file = _address(view, parameters, FileFormat.XLSX)
        kind: Literal["primary", "secondary"] = "primary" if is_page and is_main else "secondary"
        if count:
            st.link_button(LABEL, excel_file, icon=ICON, type=kind)
        else:
            _show_disabled(state)
        if is_page and not state.selected and not _hidden(view):
            return
        more = _show_button(state)
    if more.open:
        with more:
            _show_more(state, count, parameters, actor)


def _show_disabled(state: GridState) -> None:
    """Draw a button: a link that leads nowhere would still be one for a screen reader."""
    st.button(LABEL, icon=ICON, disabled=True, key=f"download_{state.place.key}")


def _show_button(state: GridState) -> PopoverContainer:
    """Draw the button that opens the other downloads; it says how many rows are selected."""
    selected = len(state.selected)
    label = f"Download {selected:,} selected" if selected else "More downloads"
    with st.container(key="downloads_selected" if selected else "downloads_more", width="content"):
        return st.popover(
            label,
            key=f"more_{state.place.key}",
            help=f"The selected rows alone. {LABEL} writes every row." if selected else None,
            on_change=state.touch,
        )


def _show_more(state: GridState, count: int, parameters: dict[str, str], actor: Actor) -> None:
    """Draw the files of the selected rows, then others of the view."""
    view = state.view
    if state.selected:
        # Made here alone: the address of many keys is stored.
        ticked = view.without_filters().with_keys(state.selected)
        words = f"**{describe_keys(state.selected)}**, with the columns and the sort of the table"
        hidden = ", including rows that the filter hides" if view.is_filtered else ""
        label = f"{len(state.selected):,} selected"
        _show_links(label, words + hidden, ticked, _parameters(state, ticked, actor))
    if count and view.order_id is not None:
        if state.selected:
            st.caption(f"All {count:,} rows")
        st.link_button("Download CSV", _address(view, parameters, FileFormat.CSV), icon=ICON)
    if count and (hidden_columns := _hidden(view)):
        words = f"The same rows, with the hidden columns too: {', '.join(hidden_columns)}"
        _show_links("All columns", words, view, parameters | {"columns": "all"})


def _hidden(view: View) -> list[str]:
    """Return the headers of the columns that the view could show and does not."""
    return [column.header for column in view.table.offered if column not in view.columns]


def _parameters(state: GridState, view: View, actor: Actor) -> dict[str, str]:
    return views.address_of(view, actor=actor) | {"token": state.export_token}


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
