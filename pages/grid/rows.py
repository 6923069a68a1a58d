"""The server half of the grid: POST /rows/<table> answers with rows, a count or choices.

The body is JSON: `view` (see core.view_json) and one of `start` and `end` (a window of rows),
`count` (true), or `choices` (a column, with an optional `search`). The token travels as
`Authorization: Bearer`.
"""

import json
from typing import Any

import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from core import query, tokens
from core.columns import Column, Kind, Table
from core.errors import InvalidInput, NotFound
from core.tables import TABLES
from core.users import Actor
from core.view import View
from core.view_json import MAX_VIEW_BYTES, parse_view
from pages.web import PRIVATE, browser_of


class _Question(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    view: dict[str, Any]
    start: int | None = None
    end: int | None = None
    count: bool = False
    choices: str | None = None
    search: str = ""


async def answer_rows(request: Request) -> Response:
    """Answer the grid; errors are raised as AppError for the caller to turn into a status."""
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    body = await _read_body(request)
    answer = await run_in_threadpool(
        _answer, request.path_params["table"], token, browser_of(request), body
    )
    return JSONResponse(answer, headers=PRIVATE)


async def _read_body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_VIEW_BYTES:
            raise InvalidInput("The filters are too long.")
    return bytes(body)


def _answer(table_name: str, token: str, browser: str, body: bytes) -> dict[str, Any]:
    actor = tokens.accept(token, "rows", table=table_name, browser=browser)
    table = TABLES.get(table_name)
    if table is None:
        raise NotFound(f"There is no table “{table_name[:60]}”.")
    question = _parse_question(body)
    view = parse_view(table, question.view)
    if question.count:
        return {"count": query.count_rows(view, actor=actor)}
    if question.choices is not None:
        return _choices(view, question.choices, question.search, actor)
    if question.start is None or question.end is None:
        raise InvalidInput("A window of rows, a count or choices must be asked for.")
    frame = query.load_rows(view, actor=actor, start=question.start, end=question.end)
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


def _choices(view: View, column: str, search: str, actor: Actor) -> dict[str, Any]:
    frame = query.load_choices(view, column, actor=actor, search=search)
    listed = frame.head(query.MAX_CHOICES_LISTED)
    return {
        "choices": [[value, count] for value, count in listed.itertuples(index=False)],
        "more": len(frame) > len(listed),
    }


def to_cells(table: Table, frame: pd.DataFrame, zone: str) -> list[dict[str, Any]]:
    """Turn a frame into what the grid shows: text, numbers, instants as text in the view's zone."""
    shown = {str(name): _to_cells(table.column(str(name)), frame[name], zone) for name in frame}
    return [dict(zip(shown, values, strict=True)) for values in zip(*shown.values(), strict=True)]


def _to_cells(column: Column | None, values: "pd.Series[Any]", zone: str) -> list[Any]:
    assert column is not None
    if column.kind is Kind.INSTANT:
        values = values.dt.tz_convert(zone).dt.strftime("%Y-%m-%d %H:%M")
    return values.astype("object").where(values.notna(), None).tolist()
