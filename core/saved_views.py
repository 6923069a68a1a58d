"""Kept views, and the address of a view: in the link itself, or stored when it is too long."""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress

from sqlalchemy.exc import IntegrityError

from core import db
from core.columns import Table
from core.errors import NotFound
from core.models import SavedView
from core.users import Actor
from core.view import View
from core.view_json import default_view, from_address, parse_view, to_address, to_json

MAX_IN_ADDRESS = 4_000


def address_of(view: View, *, actor: Actor) -> dict[str, str]:
    """Return the query parameters that open the view: `view`, or `saved` when it is over 4 kB.

    A long view is stored without a name, once for each person, for links to point at.
    """
    text = to_address(view)
    if len(text) <= MAX_IN_ADDRESS:
        return {"view": text}
    raw = to_json(view)
    content = json.dumps([actor.user_id, view.table.name, raw], sort_keys=True)
    view_id = hashlib.sha256(content.encode()).hexdigest()[:32]
    with db.reading() as session:
        if session.get(SavedView, view_id) is not None:
            return {"saved": view_id}
    # Two tabs at once may store the same view; the second finds the key taken.
    with suppress(IntegrityError), db.writing() as session:
        session.add(
            SavedView(view_id=view_id, table_name=view.table.name, owner=actor.user_id, view=raw)
        )
    return {"saved": view_id}


def view_at(table: Table, parameters: Mapping[str, str], *, zone: str) -> View:
    """Return the view that an address asks for; without one, the view a person sees first.

    Raises InvalidInput for a damaged view, NotFound for a saved one that does not exist.
    """
    if "view" in parameters:
        return from_address(table, parameters["view"], zone=zone)
    if "saved" not in parameters:
        return default_view(table, zone)
    with db.reading() as session:
        saved = session.get(SavedView, parameters["saved"])
        if saved is None or saved.table_name != table.name:
            raise NotFound(f"There is no saved view “{parameters['saved'][:60]}”.")
        return parse_view(table, saved.view, zone=zone)
