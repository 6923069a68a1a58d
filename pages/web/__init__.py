"""Shared by routes and guards: who sends a request, and how it is answered or refused."""

from pages.web.answers import (
    BROWSER_COOKIE,
    PRIVATE,
    base_path,
    bearer_of,
    browser_of,
    own_route,
    refuse_json,
    refuse_page,
    status_of,
)
from pages.web.bodies import declared_bytes, read_body
from pages.web.grid_script import GRID_SCRIPT
from pages.web.identity import (
    actor_in,
    claims_in,
    grant_of,
    is_of_same_person,
    local_actor,
    streamlit_secrets,
)
from pages.web.metrics import CONTENT_TYPE, render_metrics, serving_metrics
from pages.web.page_parts import CJK_SHEET, PAGE_SCRIPT, PAGE_SCRIPT_PATH, page_body, page_head

__all__ = [
    "BROWSER_COOKIE",
    "CJK_SHEET",
    "CONTENT_TYPE",
    "GRID_SCRIPT",
    "PAGE_SCRIPT",
    "PAGE_SCRIPT_PATH",
    "PRIVATE",
    "actor_in",
    "base_path",
    "bearer_of",
    "browser_of",
    "claims_in",
    "declared_bytes",
    "grant_of",
    "is_of_same_person",
    "local_actor",
    "own_route",
    "page_body",
    "page_head",
    "read_body",
    "refuse_json",
    "refuse_page",
    "render_metrics",
    "serving_metrics",
    "status_of",
    "streamlit_secrets",
]
