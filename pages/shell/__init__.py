"""The parts around every page: style, header, access check, and messages for failures."""

from pages.shell.dialog import Dialog
from pages.shell.facts import show_facts
from pages.shell.finding import browser_cookie, show_list_links, show_search_token
from pages.shell.frame import (
    acting,
    current_actor,
    draw_frame,
    draw_header,
    failures_shown,
    kept_answer,
    plain,
    set_tab_title,
)
from pages.shell.reconnection import follow_reconnection
from pages.shell.text_table import show_text_table

__all__ = [
    "Dialog",
    "acting",
    "browser_cookie",
    "current_actor",
    "draw_frame",
    "draw_header",
    "failures_shown",
    "follow_reconnection",
    "kept_answer",
    "plain",
    "set_tab_title",
    "show_facts",
    "show_list_links",
    "show_search_token",
    "show_text_table",
]
