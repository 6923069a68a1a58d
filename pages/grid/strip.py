"""The strip above a grid: title, how many rows, the filters in words, and Download Excel."""

from collections.abc import Callable
from urllib.parse import urlencode

import streamlit as st

from core import query, saved_views
from core.users import Actor
from core.view import View, describe_filter
from pages.frame import plain

# Measured on files of 100,000 rows, for the size said before the click.
BYTES_A_CELL = 7
ROWS_A_SECOND = 8_000
SLOW_SECONDS = 5


def show_head(view: View, *, actor: Actor, token: str) -> None:
    """Draw title, count and Download Excel of the view."""
    table = view.table
    count = query.count_rows(view, actor=actor)
    total = query.count_rows(view.without_filters(), actor=actor)
    address = saved_views.address_of(view, actor=actor) | {"token": token}
    with st.container(horizontal=True, vertical_alignment="center", key="head"):
        st.title(table.title, anchor=False, width="content")
        st.markdown(
            f"**{count:,}** of {total:,} {table.many} :gray[· times in {view.zone}]",
            width="stretch",
        )
        st.caption(_effort(view, count), width="content")
        st.link_button(
            "Download Excel",
            f"{_base()}/export/{table.name}?{urlencode(address)}",
            icon=":material/download:",
            type="primary",
            disabled=count == 0,
        )


def show_words(view: View, change: Callable[[View], None]) -> None:
    """Draw the filters in words, each with its removal, and Clear all."""
    if not view.filters:
        return
    with st.container(horizontal=True, key="words", gap="small"):
        for one in view.filters:
            st.button(
                plain(describe_filter(one)),
                key=f"words_{view.table.name}_{one.column.name}",
                icon=":material/close:",
                icon_position="right",
                help=f"Remove the filter on {one.column.header}",
                on_click=change,
                args=(view.without_filter(one.column.name),),
            )
        st.button(
            "Clear all",
            key=f"clear_{view.table.name}",
            type="tertiary",
            on_click=change,
            args=(view.without_filters(),),
        )


def _effort(view: View, count: int) -> str:
    if count == 0:
        return f"Nothing to export: no {view.table.one} matches these filters"
    kilobytes = max(8, count * len(view.columns) * BYTES_A_CELL // 1_000)
    size = f"{kilobytes:,} kB" if kilobytes < 1_000 else f"{kilobytes / 1_000:,.1f} MB"
    seconds = count // ROWS_A_SECOND
    takes = f", ready in about {seconds:,} s" if seconds > SLOW_SECONDS else ""
    return f"{count:,} row{'s' * (count != 1)}, about {size}{takes}"


def _base() -> str:
    path = str(st.get_option("server.baseUrlPath")).strip("/")
    return f"/{path}" if path else ""
