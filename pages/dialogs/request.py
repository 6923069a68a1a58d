"""A request about order items, which a dialog asks for and then sends."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from core import views
from core.access import Actor, may
from core.tables import Table
from core.views import default_view
from pages.dialogs.selection import Chosen
from pages.shell import Dialog, plain


@dataclass(kw_only=True)
class Request:
    """What the dialog keeps of it. The idempotency key is made when the dialog opens.

    So a double click, a rerun or a lost response repeats the same request, which is done once.
    """

    chosen: Chosen
    key: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    fault: str = ""
    was_sent: bool = False  # just now: the page behind must run to show it

    @property
    def item_ids(self) -> tuple[str, ...]:
        """Return the items that the request is about."""
        return self.chosen.item_ids

    def forget_fault(self) -> None:
        """Forget why the last click was refused: the person has changed the request."""
        self.fault = ""

    def show_behind(self) -> None:
        """Run the whole page once after the request was sent."""
        if self.was_sent:
            self.was_sent = False
            st.rerun()


def show_where(table: Table, ids: Sequence[str], *, actor: Actor) -> None:
    """Draw a link to the rows of a table with these IDs, if the actor may open its page."""
    if ids and may(actor, table.permission(None)):
        asked = views.address_of(default_view(table).with_ids(tuple(ids)), actor=actor)
        label, icon = f"See them in {table.title}", ":material/arrow_forward:"
        page = f"{table.name}.py"
        st.page_link(page, label=label, icon=icon, query_params=asked, width="content")


def show_notes(chosen: Chosen) -> None:
    """Say which selected rows are hidden, missing or without items."""
    for note in chosen.notes:
        st.caption(plain(note))


def show_problem(chosen: Chosen, dialog: Dialog[Any], *, key: str) -> None:
    """Say why there is nothing to act on."""
    st.warning(plain(chosen.problem), icon=":material/info:")
    with st.container(horizontal=True, horizontal_alignment="right"):
        dialog.show_close("Close", key=key)


def show_none(done: str, many: str, count: int) -> None:
    """Say that nothing selected can be refunded, downloaded or sent: in the same words for each."""
    things = many if count != 1 else many.removesuffix("s")
    words = f"0 of {count:,} {things} will be {done}."
    st.markdown(f"**{plain(f'Nothing you selected can be {done}.')}** {plain(words)}")
