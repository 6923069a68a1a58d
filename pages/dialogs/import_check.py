"""The preview of an import: the contents of the files, and what importing them will change."""

from collections.abc import Callable, Sequence

import streamlit as st

from core.ground import get_settings
from core.imports import Check, Heading, Run, SheetRead
from core.tables import SHEETS, Kind
from pages.shell import plain, show_text_table

DEMO = (
    "This database holds demo orders. They stay next to yours. After an import you can no longer "
    "delete them here. To keep only your own, first choose *Start with my own orders* above."
)
NUMBERS = (
    "Amounts can be written as 1,234.50 or as 1.234,50; an ambiguous amount is an import error. "
    "The times below are in UTC."
)


def show_check(
    run: Run, check: Check, *, begin: Callable[..., None], forget: Callable[..., None]
) -> None:
    """Draw the counts, the Import button, and each table with its first rows."""
    st.markdown(f"**{plain(', '.join(run.names))}** · no import errors")
    show_text_table(_counts(check), key="import_counts")
    if used := len(check.outcome.used):
        st.warning(_used(used), icon=":material/confirmation_number:")
    for words in _notes(check):
        st.markdown(plain(words))
    has_changes = bool(check.outcome.used) or any(check.outcome.added.values())
    if not has_changes:
        words = (
            "Everything is already stored. There is nothing to import."
            if check.rows
            else "The files have headers, but no rows. There is nothing to import."
        )
        st.info(words, icon=":material/inbox:")
    elif check.is_demo:
        st.warning(DEMO, icon=":material/info:")
    with st.container(horizontal=True, key="import_decide"):
        if has_changes:
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
    """Draw every sheet, the first rows of every table, and the sheets that are ignored."""
    st.header("What the files contain", anchor=False)
    st.caption(NUMBERS)
    seen: set[str] = set()
    for sheet in check.sheets:
        _show_sheet(sheet)
        if sheet.table.name not in seen:
            _show_rows(sheet.table.name, check.first_rows.get(sheet.table.name, []))
        seen.add(sheet.table.name)
    for file, title in check.left_out:
        st.caption(f"Ignored, because it is not one of the tables: {plain(title)} ({plain(file)})")


def _counts(check: Check) -> list[dict[str, str]]:
    lines = []
    for table in SHEETS:
        rows = sum(sheet.rows for sheet in check.sheets if sheet.table.name == table.name)
        if rows:
            lines.append(
                {
                    "Table": table.title,
                    "Rows": f"{rows:,}",
                    "Will be added": f"{check.outcome.added.get(table.name, 0):,}",
                    "Already stored": f"{check.outcome.unchanged.get(table.name, 0):,}",
                }
            )
    return lines or [{"Table": "No rows", "Rows": "0"}]


def _used(count: int) -> str:
    """Say what happens to stored items; in the counts they are neither added nor unchanged."""
    its, it_is = ("Its voucher", "It is") if count == 1 else ("Their vouchers", "They are")
    return (
        f"{_items(count)} will be marked as used. {it_is} stored already. {its} can then no longer "
        "be sent or refunded."
    )


def _notes(check: Check) -> list[str]:
    notes = []
    if returned := check.outcome.returned:
        them = "it" if len(returned) == 1 else "them"
        notes.append(
            f"The bank returned the refund of {_items(len(returned))}. Refund {them} again."
        )
    if kept := check.outcome.kept:
        have = "has" if len(kept) == 1 else "have"
        notes.append(
            f"{_items(len(kept))} {have} an older state in the file. "
            "The refund in Order Desk is kept."
        )
    return notes


def _items(count: int) -> str:
    return f"{count:,} order item{'s' * (count != 1)}"


def _show_sheet(sheet: SheetRead) -> None:
    """Show which columns were found, which are filled in, and the zones of times."""
    given = {heading.column.name for heading in sheet.headings}
    missing = [one.header for one in sheet.table.stored if one.name not in given]
    found = ", ".join(heading.column.header for heading in sheet.headings)
    rows = f"{sheet.rows:,} row{'s' * (sheet.rows != 1)}"
    with st.container(gap=None):
        st.markdown(f"**{plain(sheet.title)}** · {plain(rows)} · {plain(sheet.file)}")
        st.caption(f"Columns: {plain(found)}")
        if missing:
            st.caption(f"Filled in automatically, or left blank: {plain(', '.join(missing))}")
        if zones := _zones(sheet.headings):
            st.caption(f"Times without a time zone: {plain(zones)}")


def _show_rows(table: str, lines: list[dict[str, str]]) -> None:
    if lines:
        show_text_table(lines, key=f"import_rows_{table}", lines_shown=5)


def _zones(headings: Sequence[Heading]) -> str:
    usual = get_settings().import_zone
    words = []
    for heading in headings:
        column = heading.column
        if column.kind is Kind.INSTANT:
            own = f"the import's time zone ({usual})"
            zone = heading.zone or ("the airport's zone" if column.read_in else own)
            words.append(f"{column.header} is in {zone}")
    return ", ".join(words)
