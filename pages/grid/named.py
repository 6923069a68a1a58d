"""The view that was opened by its name, so that the page can say its name and that it changed."""

from dataclasses import dataclass

import streamlit as st

from core import views
from core.access import Actor
from core.ground import zones
from core.views import Opened, Saved, View, parse_view


@dataclass(frozen=True)
class Named:
    """A view that was opened by its name, built-in or saved, as it was then."""

    name: str
    view: View
    saved: Saved | None = None

    @property
    def view_id(self) -> str | None:
        """Return the ID of a saved view."""
        return self.saved.view_id if self.saved else None


def named_view(found: Opened, actor: Actor) -> Named | None:
    """Return the named view of an address: a saved one, even if changed, or a built-in one."""
    table, saved = found.view.table, found.saved
    if saved is not None:
        view = parse_view(table, saved.raw, zone=viewer_zone(), left_out=[])
        return Named(saved.name, view, saved)
    if found.view.order_id is not None or not found.view.is_filtered:
        return None
    ready = views.ready_made(table, found.view.zone, actor=actor)
    return next((Named(name, view) for name, view in ready.items() if view == found.view), None)


def viewer_zone() -> str:
    """Return the browser's time zone; UTC if it is missing or unknown."""
    zone = st.context.timezone
    return zone if zone in zones() else "UTC"
