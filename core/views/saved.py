"""Saved views with a name: private or shared, one of them the default."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import access, storage
from core.access import Actor, require
from core.ground import InvalidInput, NotFound, NotPermitted, Refused, Role
from core.storage import SavedView, new_id
from core.tables import Table
from core.views.codec import parse_view, to_json
from core.views.view import View

MAX_VIEW_NAME = 60


@dataclass(frozen=True)
class Saved:
    """A named view, as an actor sees it."""

    view_id: str
    name: str
    is_shared: bool
    is_default: bool
    is_own: bool
    is_sharing_confirmed: bool  # its owner has seen which words and IDs everyone can read
    raw: dict[str, Any]


class ViewNotFound(NotFound):
    """The view does not exist, or the actor cannot see it."""

    def __init__(self, view_id: str) -> None:
        super().__init__(f"View “{view_id[:60]}” was not found, or you have no access to it.")


class NameTaken(Refused):
    """The user already has a view with that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"You already have a view “{name}”. Replace it, or choose another name.")


def find_row(session: Session, table: Table, view_id: str) -> SavedView | None:
    """Find a saved view of a table by its ID, with or without a name."""
    saved = session.get(SavedView, view_id) if "\x00" not in view_id else None
    return saved if saved is not None and saved.table_name == table.name else None


def may_see(saved: SavedView, actor: Actor) -> bool:
    """Return whether the actor can open a view. Anyone with the link can open an unnamed one."""
    return saved.name is None or saved.is_shared or saved.owner == actor.user_id


def ready_made(table: Table, zone: str, *, actor: Actor) -> dict[str, View]:
    """Return the built-in views of a table, by name."""
    raw = dict(table.ready_made)
    if table.author is not None:
        is_mine = {"filterType": "text", "type": "equals", "filter": actor.email}
        raw = {table.by_author: {"filters": {table.author: is_mine}}} | raw
    if table.personal is not None:
        raw |= table.personal(actor.email)
    return {name: parse_view(table, one, zone=zone) for name, one in raw.items()}


def find_saved(table: Table, *, actor: Actor) -> list[Saved]:
    """Find the named views of a table: the actor's own, then those that other users share.

    Raises NotPermitted if the actor cannot see the table, as all functions below.
    """
    require(actor, table.permission(None))
    is_mine = SavedView.owner == actor.user_id
    statement = (
        select(SavedView)
        .where(SavedView.table_name == table.name, SavedView.name.is_not(None))
        .where(or_(is_mine, SavedView.is_shared))
        .order_by(is_mine.desc(), SavedView.name, SavedView.view_id)
    )
    with storage.reading() as session:
        return [as_seen(row, actor) for row in session.scalars(statement)]


def as_seen(row: SavedView, actor: Actor) -> Saved:
    """Return a named view as an actor sees it."""
    is_own = row.owner == actor.user_id
    return Saved(
        view_id=row.view_id,
        name=row.name or "",
        is_shared=row.is_shared,
        is_default=row.is_default and is_own,
        is_own=is_own,
        is_sharing_confirmed=row.is_sharing_confirmed,
        raw=row.view,
    )


def save_view(
    view: View,
    name: str,
    *,
    actor: Actor,
    is_shared: bool = False,
    is_default: bool = False,
    replaces: bool = False,
) -> str:
    """Save a view under a name and return its ID. The default view opens first for its owner.

    Raises NameTaken if the actor has a view with that name, unless it `replaces` that one.
    """
    permission = view.table.permission(view.order_id)
    require(actor, permission)
    name = _checked(name)
    try:
        with access.changing(actor, permission) as (session, actor):
            row = session.scalars(
                select(SavedView).where(
                    SavedView.owner == actor.user_id,
                    SavedView.table_name == view.table.name,
                    SavedView.name == name,
                )
            ).first()
            if row is not None and not replaces:
                raise NameTaken(name)
            if row is None:
                row = SavedView(
                    view_id=new_id(), owner=actor.user_id, table_name=view.table.name, name=name
                )
            _clear_default(session, view.table, actor, is_default)
            row.view, row.is_shared, row.is_default = to_json(view), is_shared, is_default
            row.is_sharing_confirmed = is_shared
            session.add(row)
            return row.view_id
    except IntegrityError:  # another tab saved the name in the meantime
        raise NameTaken(name) from None


def _checked(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > MAX_VIEW_NAME or not name.isprintable():
        raise InvalidInput(f"The name of a view must have 1 to {MAX_VIEW_NAME} characters.")
    return name


def change_view(
    table: Table,
    view_id: str,
    *,
    actor: Actor,
    view: View | None = None,
    is_shared: bool | None = None,
    is_default: bool | None = None,
) -> None:
    """Change what a named view shows, whether it is shared, or whether it is the default.

    Raises NotFound, and NotPermitted if another user owns it and the actor is no admin.
    """
    with access.changing(actor, table.permission(None)) as (session, actor):
        row = _changeable(session, table, view_id, actor)
        if view is not None:
            row.view = to_json(view)
        if is_shared is not None:
            row.is_shared = row.is_sharing_confirmed = is_shared
        if is_default is not None and row.owner == actor.user_id:
            _clear_default(session, table, actor, is_default)
            row.is_default = is_default


def confirm_sharing(table: Table, *, actor: Actor) -> None:
    """Note that the actor has seen which words and IDs everyone can read in the shared views."""
    own = SavedView.owner == actor.user_id, SavedView.table_name == table.name
    with access.changing(actor, table.permission(None)) as (session, actor):
        shared = update(SavedView).where(*own, SavedView.is_shared)
        session.execute(shared.values(is_sharing_confirmed=True))


def delete_view(table: Table, view_id: str, *, actor: Actor) -> None:
    """Delete a named view; raises NotFound or NotPermitted as `change_view` does."""
    with access.changing(actor, table.permission(None)) as (session, actor):
        session.delete(_changeable(session, table, view_id, actor))


def _changeable(session: Session, table: Table, view_id: str, actor: Actor) -> SavedView:
    row = find_row(session, table, view_id)
    is_seen = row is not None and (may_see(row, actor) or actor.role is Role.ADMIN)
    if row is None or row.name is None or not is_seen:
        raise ViewNotFound(view_id)
    if row.owner != actor.user_id and actor.role is not Role.ADMIN:
        raise NotPermitted(f"“{row.name}” belongs to another user. Save a copy under another name.")
    return row


def _clear_default(session: Session, table: Table, actor: Actor, is_taken: bool) -> None:
    if is_taken:
        others = SavedView.owner == actor.user_id, SavedView.table_name == table.name
        session.execute(update(SavedView).where(*others).values(is_default=False))
