"""What a dialog is: the session keeps its content from the click that opens it until it closes.

So it stays open when the page runs again. A button in it or a dismissal closes it, and so does
leaving the page.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

import streamlit as st

from core.access import Actor
from pages.shell.frame import current_actor, failures_shown

Content = TypeVar("Content")


@dataclass(frozen=True)
class Dialog(Generic[Content]):
    """A dialog of a page. The session keeps its content under `key`.

    Closing calls `touch`, to note that a widget has started the run: the address does not count.
    """

    key: str
    touch: Callable[[], None]

    @property
    def content(self) -> Content | None:
        """Return what the dialog is about, or None if it is closed."""
        content: Content | None = st.session_state.get(self.key)
        return content

    def open(self, content: Content) -> None:
        """Open the dialog in the next run, or in this one if it is not drawn yet."""
        st.session_state[self.key] = content

    def close(self) -> None:
        """Close the dialog; the whole page has to run after that."""
        self.touch()
        self.forget()

    def forget(self) -> None:
        """Close the dialog in a run that the person did not start to close it."""
        st.session_state.pop(self.key, None)

    def forget_if_left(self, opener: str) -> None:
        """Close the dialog if the widget that opens it was not on the screen: the page was left."""
        if opener not in st.session_state:
            self.forget()

    def show(
        self,
        title: str,
        draw: Callable[[Content, Actor], None],
        *,
        width: Literal["small", "medium", "large"] = "small",
        icon: str | None = None,
    ) -> None:
        """Draw the dialog while it is open; the failures of `draw` are shown in it."""
        content = self.content
        if content is None:
            return

        @st.dialog(title, width=width, icon=icon, on_dismiss=self.close)
        def show_content() -> None:
            with failures_shown():
                if self.content is None:  # a button in it has just closed it
                    st.rerun()
                draw(content, current_actor())  # a dialog may be open for hours

        show_content()

    def show_close(self, label: str, *, key: str, is_primary: bool = False) -> None:
        """Draw a button that closes the dialog."""
        if st.button(label, key=key, type="primary" if is_primary else "secondary"):
            self.close()
            st.rerun()
