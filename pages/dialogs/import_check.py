"""What was understood of files, and what importing them would do: looked at before the click."""

from collections.abc import Callable, Sequence

import pandas as pd
import streamlit as st

from core.ground import get_settings
from core.imports import Check, Heading, Run, SheetRead
from core.tables import BOOKS, Kind
from pages.shell import plain, show_text_table

DEMO = (
    "This database holds demo orders. They stay beside yours, and after an import nothing here "
    "takes them away any more. To have yours alone, choose *Start with my own orders* above first."
)
NUMBERS = (
    "Amounts are understood as 1,234.50 and as 1.234,50; one that reads two ways would have been a "
    "fault. Times are shown in UTC below."
)


def show_check(
    run: Run, check: Check, *, begin: Callable[..., None], forget: Callable[..., None]
) -> None:
    """Draw the counts, the click that imports, and each table with its first rows."""
    st.markdown(f"**{plain(', '.join(run.names))}** · no faults")
    show_text_table(_counts(check), key="import_counts")
    for words in _notes(check):
        st.markdown(plain(words))
    has_news = bool(check.outcome.used) or any(check.outcome.added.values())
    if not has_news:
        st.info("All of it is here already: there is nothing to import.", icon=":material/inbox:")
    elif check.is_demo:
        st.warning(DEMO, icon=":material/info:")
    with st.container(horizontal=True, key="import_decide"):
        if has_news:
            st.button(
                "Import",
                type="primary",
                key="import_now",
                icon=":material/upload:",
                on_click=begin,
            )
        st.button("Choose other files", key="import_forget", on_click=forget)
    _show_understood(check)


def _show_understood(check: Check) -> None:
    """Draw the sheets, and of each table its first rows; name the sheets that were left out."""
    with st.container(gap=None):
        st.subheader("What was understood", anchor=False)
        st.caption(NUMBERS)
    seen: set[str] = set()
    for sheet in check.sheets:
        _show_sheet(sheet)
        if sheet.table.name not in seen:
            _show_rows(sheet.table.name, check.first_rows.get(sheet.table.name))
        seen.add(sheet.table.name)
    for file, title in check.left_out:
        st.caption(f"Left out, since it is none of the tables: {plain(title)} ({plain(file)})")


def _counts(check: Check) -> list[dict[str, str]]:
    lines = []
    for table in BOOKS:
        rows = sum(sheet.rows for sheet in check.sheets if sheet.table.name == table.name)
        if rows:
            lines.append(
                {
                    "Table": table.title,
                    "Rows": f"{rows:,}",
                    "Will be added": f"{check.outcome.added.get(table.name, 0):,}",
                    "Here already, unchanged": f"{check.outcome.unchanged.get(table.name, 0):,}",
                }
            )
    return lines or [{"Table": "No rows", "Rows": "0"}]


def _notes(check: Check) -> list[str]:
    notes = []
    if used := check.outcome.used:
        notes.append(f"{len(used):,} order items that are not used here will be marked as used.")
    if returned := check.outcome.returned:
        count = f"{len(returned):,} order item{'s' * (len(returned) != 1)}"
        notes.append(f"The bank returned the refund of {count}, to be refunded again.")
    if kept := check.outcome.kept:
        notes.append(f"{len(kept):,} order items keep the refund that was made here.")
    return notes


def _show_sheet(sheet: SheetRead) -> None:
    """Say which columns were understood, and how times of theirs were read."""
    given = {heading.column.name for heading in sheet.headings}
    missing = [one.header for one in sheet.table.stored if one.name not in given]
    understood = ", ".join(heading.column.header for heading in sheet.headings)
    rows = f"{sheet.rows:,} row{'s' * (sheet.rows != 1)}"
    with st.container(gap=None):
        st.markdown(f"**{plain(sheet.title)}** · {plain(rows)} · {plain(sheet.file)}")
        st.caption(f"Understood: {plain(understood)}")
        if missing:
            st.caption(f"Not in the file, so as usual: {plain(', '.join(missing))}")
        if zones := _zones(sheet.headings):
            st.caption(f"Times without a zone were read so: {plain(zones)}")


def _show_rows(table: str, first_rows: pd.DataFrame | None) -> None:
    if first_rows is not None and len(first_rows):
        texts = first_rows.astype(str).to_dict("records")
        lines = [{str(header): text for header, text in one.items()} for one in texts]
        show_text_table(lines, key=f"import_rows_{table}", lines_shown=5)


def _zones(headings: Sequence[Heading]) -> str:
    usual = get_settings().import_zone
    said = []
    for heading in headings:
        column = heading.column
        if column.kind is Kind.INSTANT:
            at_place = "at the airport" if column.place_zone else f"in {usual} (IMPORT_ZONE)"
            said.append(f"{column.header} {f'in {heading.zone}' if heading.zone else at_place}")
    return ", ".join(said)
