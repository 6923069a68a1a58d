"""Links to views: the view itself, or the ID of a saved one, with or without a name."""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from core import access, storage
from core.access import Actor, require
from core.storage import SavedView
from core.tables import Table
from core.views.codec import from_address, parse_view, to_address, to_json
from core.views.saved import Saved, ViewNotFound, as_seen, find_row, may_see
from core.views.view import View

MAX_IN_ADDRESS = 4_000
STORED = "saved."  # the prefix of a saved view's ID in a parameter that can also hold a view


@dataclass(frozen=True)
class Opened:
    """The view of an address, and the named view that it is or comes from."""

    view: View
    saved: Saved | None = None


def address_of(
    view: View, *, actor: Actor, parameter: str = "view", opened: str | None = None
) -> dict[str, str]:
    """Return the query parameters that open the view: `view`, or `saved` if it is over 4 kB.

    With another `parameter`, that one holds either. `opened` is the ID of the named view that this
    one was changed from; the address keeps it. Raises NotPermitted and AccessLost.
    """
    text = to_address(view)
    origin = {} if opened is None else {"saved": opened}
    if len(text) <= MAX_IN_ADDRESS:
        return {parameter: text} | origin
    view_id = _store(view, actor)
    if parameter == "view" and not origin:
        return {"saved": view_id}
    return {parameter: STORED + view_id} | origin


def short_link_of(view: View, saved: Saved | None, *, actor: Actor) -> str:
    """Return the ID of a short link, `?saved=`, that shows the view to everyone who gets it.

    A shared view that is unchanged has its own link, which follows later changes. Any other view is
    stored as it is, without a name. Raises NotPermitted and AccessLost.
    """
    require(actor, view.table.permission(view.order_id))
    if saved is not None and saved.is_shared and _is_unchanged(view, saved):
        return saved.view_id
    return _store(view, actor)


def _is_unchanged(view: View, saved: Saved) -> bool:
    return parse_view(view.table, saved.raw, zone=view.zone, left_out=[]) == view


def _store(view: View, actor: Actor) -> str:
    """Store a view without a name, once per user, for links to refer to; return its ID."""
    raw = to_json(view)
    content = json.dumps([actor.user_id, view.table.name, raw], sort_keys=True)
    view_id = hashlib.sha256(content.encode()).hexdigest()[:32]
    with storage.reading() as session:
        is_stored = session.get(SavedView, view_id) is not None
    if not is_stored:
        # Two tabs may store the same view at the same time; the second finds that the key exists.
        permission = view.table.permission(view.order_id)
        with suppress(IntegrityError), access.changing(actor, permission) as (session, _):
            row = {"view_id": view_id, "table_name": view.table.name, "owner": actor.user_id}
            session.add(SavedView(**row, view=raw))
    return view_id


def opened_at(
    table: Table,
    parameters: Mapping[str, str],
    *,
    actor: Actor,
    zone: str,
    parameter: str = "view",
    order_id: str | None = None,
    left_out: list[str] | None = None,
) -> Opened:
    """Return the view of a URL and the named view that it comes from; without one, the default.

    Raises InvalidInput for a damaged view, NotFound if the saved view does not exist or is private
    to another user, NotPermitted if the actor cannot see the table. With `left_out`, invalid parts
    of the view are left out instead, and their error texts appended to it.
    """
    require(actor, table.permission(order_id))
    text = parameters.get(parameter)
    named_id = parameters.get("saved") if parameter == "view" else None
    saved: Saved | None = None
    raw: object
    if text is None and named_id is None:
        saved = None if order_id is not None else _default(table, actor)
        raw = saved.raw if saved else {}
    elif text is None:
        saved = _find(table, str(named_id), actor)
        if saved is None:
            raise ViewNotFound(str(named_id))
        raw = saved.raw
    else:
        saved = _find(table, named_id, actor) if named_id else None  # where the view comes from
        raw = _raw_in(table, text, actor)
    view = parse_view(table, raw, zone=zone, order_id=order_id, left_out=left_out)
    return Opened(view, saved if saved and saved.name else None)


def _raw_in(table: Table, text: str, actor: Actor) -> object:
    """Read a parameter that holds a view, or the ID of a stored one."""
    if not text.startswith(STORED):
        return from_address(text)
    view_id = text.removeprefix(STORED)
    stored = _find(table, view_id, actor)
    if stored is None:
        raise ViewNotFound(view_id)
    return stored.raw


def _find(table: Table, view_id: str, actor: Actor) -> Saved | None:
    with storage.reading() as session:
        row = find_row(session, table, view_id)
        return as_seen(row, actor) if row is not None and may_see(row, actor) else None


def _default(table: Table, actor: Actor) -> Saved | None:
    own = select(SavedView).where(
        SavedView.owner == actor.user_id, SavedView.table_name == table.name, SavedView.is_default
    )
    with storage.reading() as session:
        row = session.scalars(own).first()
        return as_seen(row, actor) if row is not None else None
