"""Addresses of downloads: each holds a token that is bound to the user and the browser."""

from urllib.parse import urlencode

from core import access
from core.access import Actor, Purpose
from pages.shell import browser_cookie
from pages.web import base_path


def download_address(
    path: str,
    purpose: Purpose,
    table: str,
    *,
    actor: Actor,
    order_id: str | None = None,
    **parameters: str | None,
) -> str:
    """Return the address of a file below the base path, with its parameters and a token."""
    token = access.issue_token(
        purpose, table=table, actor=actor, browser=browser_cookie(), order_id=order_id
    )
    return f"{base_path()}/{path}?{urlencode(parameters | {'token': token})}"
