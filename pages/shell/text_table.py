"""A small table of plain text, in dialogs and popovers."""

from collections.abc import Sequence
from typing import Literal

import pandas as pd
import streamlit as st

from pages.shell.frame import plain

LINE_HEIGHT = 28  # pixels


def show_text_table(lines: Sequence[dict[str, str]], key: str, lines_shown: int = 4) -> None:
    """Draw lines as a table of plain text; it scrolls if there are more than `lines_shown`.

    Without a line it draws nothing.
    """
    if not lines:
        return
    frame = pd.DataFrame([{name: plain(text) for name, text in one.items()} for one in lines])
    is_long = len(lines) > lines_shown + 1
    # With the header; a line that is cut in half says that there are more.
    height: int | Literal["content"] = (
        int(LINE_HEIGHT * (lines_shown + 1.5)) if is_long else "content"
    )
    with st.container(key=key):
        st.table(frame, border="horizontal", hide_index=True, height=height)
