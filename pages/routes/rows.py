"""The server side of the grid: POST /rows/<table> answers with rows, a count or choices.

The body is JSON: `view` (see core.views.codec) and one of these: `start` and `end` (a window of
rows), `count` (true), `choices` (a column, with an optional `search`), `keys` (of selected rows),
or `beside` (a key: the page of an order asks for the keys of the rows before and after it). With
`counts` false, choices come sooner and may have no counts (null). A choice is a value and its
count, and for the ID of a contract with a name also the words to list it by. The token is in the
header `Authorization: Bearer`.
"""

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pandas as pd
from anyio import CapacityLimiter, to_thread
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from core import access, query
from core.access import Actor
from core.ground import InvalidInput, NotFound, flag_value, format_amount, named, show_controls
from core.query import MAX_SELECTED, local_minutes
from core.tables import TABLES, Column, Kind, Table
from core.views import View, as_choice, parse_view
from pages.web import PRIVATE, bearer_of, grant_of, read_body

MAX_WAIT_SECONDS = 0.7
MAX_DRAWING_SECONDS = 3.0
PAUSE_SECONDS = 0.1
MAX_DRAWN = 1_000
# At most so many requests are answered at once; others wait. Threads that pass Python's lock to
# each other at every row are slower than threads in turn: by half with four of them.
# Counts and choices take longer, so they have their own queue and do not delay rows.
_ROWS_AT_ONCE, _OTHERS_AT_ONCE = CapacityLimiter(2), CapacityLimiter(2)
_TOKENS_AT_ONCE = CapacityLimiter(4)
TOO_LONG = "The filters are too long."
MAX_BODY_BYTES = 4_000_000  # a view with 10,000 IDs of 200 characters, and more


_idle, _windows = threading.Condition(), 0
_drawn: set[str] = set()  # tokens of grids that are drawn, but do not show their first rows yet


@contextmanager
def _loading_rows() -> Iterator[None]:
    global _windows
    with _idle:
        _windows += 1
    try:
        yield
    finally:
        with _idle:
            _windows -= 1
            _idle.notify_all()


def let_rows_go_first() -> None:
    """Wait a short time while rows are loaded, because a person waits for the rows first.

    Counts and totals of the same filter would use the processors at the same moment.
    """
    with _idle:
        _idle.wait_for(lambda: _windows == 0, MAX_WAIT_SECONDS)


def expect_first_rows(token: str) -> None:
    """Note that the browser begins to draw a grid."""
    with _idle:
        if len(_drawn) >= MAX_DRAWN:  # a browser that leaves never asks for rows
            _drawn.clear()
        _drawn.add(token)


def let_first_rows_show(token: str, pause: Callable[[], object]) -> None:
    """Wait until a new grid shows its first rows; totals of millions would slow the browser down.

    Calls `pause` now and then, which ends the wait if the person has gone on.
    """
    until = time.monotonic() + MAX_DRAWING_SECONDS
    while time.monotonic() < until and not _shows_rows(token):
        pause()
    with _idle:
        _drawn.discard(token)


def _shows_rows(token: str) -> bool:
    with _idle:
        return _idle.wait_for(lambda: token not in _drawn, PAUSE_SECONDS)


def _note_shown_rows(token: str) -> None:
    with _idle:
        _drawn.discard(token)
        _idle.notify_all()


class _Question(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    view: dict[str, Any]
    start: int | None = None
    end: int | None = None
    count: bool = False
    choices: str | None = None
    search: str = ""
    counts: bool = True
    keys: list[str] | None = Field(None, min_length=1, max_length=MAX_SELECTED)
    beside: str | None = None


async def answer_rows(request: Request) -> Response:
    """Answer a request of the grid; raise AppError, which the caller turns into a status."""
    name = request.path_params["table"]
    grant = await to_thread.run_sync(_accept, request, name, limiter=_TOKENS_AT_ONCE)
    body = await read_body(request, MAX_BODY_BYTES, TOO_LONG)
    limiter = _ROWS_AT_ONCE if b'"start"' in body else _OTHERS_AT_ONCE  # only chooses the queue
    answer = await to_thread.run_sync(_answer, grant, name, body, limiter=limiter)
    # The grid asks for the count when it shows the first rows, unless these are all.
    if "count" in answer or answer.get("last") is not None:
        _note_shown_rows(bearer_of(request))
    response = Response(orjson.dumps(answer), media_type="application/json", headers=PRIVATE)
    return _compressed(response, request)


def _compressed(response: Response, request: Request) -> Response:
    """Compress a response at the fastest level: Streamlit's level takes as long as the query."""
    if "gzip" in request.headers.get("accept-encoding", ""):
        response.body = gzip.compress(bytes(response.body), compresslevel=1)
        response.headers["content-length"] = str(len(response.body))
        response.headers["content-encoding"] = "gzip"
    response.headers["vary"] = "Accept-Encoding"
    return response


def _accept(request: Request, table_name: str) -> access.Grant:
    return grant_of(request, "rows", table=table_name)


def _answer(grant: access.Grant, table_name: str, body: bytes) -> dict[str, Any]:
    actor, now = grant.actor, datetime.now(UTC)
    table = TABLES.get(table_name)
    if table is None:
        raise NotFound(f"There is no table “{table_name[:60]}”.")
    question = _parse_question(body)
    view = parse_view(table, question.view, order_id=grant.order_id)
    if question.count:
        return {"count": query.count_rows(view, actor=actor, now=now)}
    if question.choices is not None:
        return _choices(view, question, actor, now)
    if question.beside is not None:
        return _beside(view, question.beside, actor, now)
    # Load every column that can be shown, so that a column that is shown later has its values.
    view = replace(view, columns=view.table.offered)
    if question.keys is not None:
        frame = query.load_ticked(view, question.keys, actor=actor, now=now)
        return {"rows": to_cells(table, frame, view.zone)}
    if question.start is None or question.end is None:
        raise InvalidInput(
            "The request must ask for rows, a count, choices, or the rows beside one."
        )
    with _loading_rows():
        frame = query.load_rows(view, actor=actor, now=now, start=question.start, end=question.end)
    is_last = len(frame) < question.end - question.start
    last = question.start + len(frame) if is_last else None
    return {"rows": to_cells(table, frame, view.zone), "last": last}


def _parse_question(body: bytes) -> _Question:
    try:
        return _Question.model_validate(json.loads(body))
    except ValidationError as error:
        fault = error.errors(include_input=False)[0]
        where = ".".join(str(part) for part in fault["loc"])[:100]
        raise InvalidInput(f"The request is malformed at “{where}”: {fault['msg']}.") from None
    except (ValueError, RecursionError):
        raise InvalidInput("The request is not JSON.") from None


def _beside(view: View, key: str, actor: Actor, now: datetime) -> dict[str, Any]:
    found = query.find_beside(view, key, actor=actor, now=now)
    both = {"previous": found.previous, "next": found.next}
    return {
        name: None if one is None else {"key": one, "shown": show_controls(one)}
        for name, one in both.items()
    }


def _choices(view: View, question: _Question, actor: Actor, now: datetime) -> dict[str, Any]:
    name = question.choices or ""
    frame = query.load_choices(
        view, name, actor=actor, now=now, search=question.search, is_counted=question.counts
    )
    listed = frame.head(query.MAX_CHOICES_LISTED)
    column = view.table.column(name)
    assert column is not None
    words = _words_of_ids(view.table, column, listed, actor)
    return {
        "choices": [
            [flag_value(value) if column.kind is Kind.FLAG else value, count, *words.get(value, ())]
            for value, count in listed.itertuples(index=False)
        ],
        "more": len(frame) > len(listed),
    }


def _words_of_ids(
    table: Table, column: Column, listed: pd.DataFrame, actor: Actor
) -> dict[Any, tuple[str]]:
    """Return the words of IDs with a name; those of other values are themselves."""
    if table.column_of_names(column) is None:
        return {}
    names = query.contract_names(listed["value"].dropna(), actor=actor)
    return {one: (named(one, name),) for one, name in names.items() if name != one}


def to_cells(table: Table, frame: pd.DataFrame, zone: str) -> list[dict[str, Any]]:
    """Turn a frame into the grid's cells: text, numbers, and instants as local times."""
    shown = {str(name): _to_cells(table.column(str(name)), frame, zone) for name in frame}
    return [dict(zip(shown, values, strict=True)) for values in zip(*shown.values(), strict=True)]


def _to_cells(column: Column | None, frame: pd.DataFrame, zone: str) -> list[Any]:
    assert column is not None
    values = frame[column.name]
    if column.kind is Kind.INSTANT:
        return local_minutes(frame, column, zone)
    blank: Any = None  # the stubs of pandas do not allow None
    listed: list[Any] = values.to_numpy(dtype=object, na_value=blank).tolist()
    if column.kind is Kind.MONEY:
        pairs = zip(listed, frame[str(column.currency)], strict=True)
        return [None if one is None else format_amount(one, code) for one, code in pairs]
    if column.kind is Kind.FLAG or column.has_words:
        words = {
            value: None if value is None else as_choice(column, value) for value in set(listed)
        }
        return [words[value] for value in listed]
    return listed
