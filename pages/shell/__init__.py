"""The parts around every page: style, header, access check, and messages for failures."""

from pages.shell.dialog import Dialog
from pages.shell.facts import show_facts
from pages.shell.frame import (
    CJK_SHEET,
    acting,
    current_actor,
    draw_frame,
    draw_header,
    failures_shown,
    kept_answer,
    plain,
)
from pages.shell.reconnection import follow_reconnection
from pages.shell.text_table import show_text_table

__all__ = [
    "CJK_SHEET",
    "Dialog",
    "acting",
    "current_actor",
    "draw_frame",
    "draw_header",
    "failures_shown",
    "follow_reconnection",
    "kept_answer",
    "plain",
    "show_facts",
    "show_text_table",
]
