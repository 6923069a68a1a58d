"""Invalid requests for rows, through the route: a sentence with 400, or the actor's own rows."""

import asyncio
import json
import random
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from core import access, storage
from core.access.actors import LOCAL_USER_ID
from core.storage import User, UserContract
from core.tables import TABLES, Table
from pages.routes import answer_rows
from pages.web import BROWSER_COOKIE, own_route, refuse_json
from tests.conftest import Fill
from tests.core.query.fuzzed_models import INJECTIONS, KEYS, NUMBERS, fuzzed_views
from tests.core.random_rows import CONTRACTS, ROWS, fill
from tests.effort import some

BROWSER, OWN = "the browser of this test", CONTRACTS[1]
REQUESTS_PER_TABLE = some(24, 600)
ROUTES = [own_route("/rows/{table}", answer_rows, refuse_json, method="POST")]


@pytest.fixture
def scoped(database: str, filled_once: Fill) -> None:
    filled_once(_fill, database)


def _fill(database: str) -> None:
    """Store the random rows; the local user sees only one contract."""
    fill(database)
    with storage.writing() as session:
        session.get_one(User, LOCAL_USER_ID).sees_all_contracts = False
        session.add(UserContract(user_id=LOCAL_USER_ID, contract_id=OWN))


def _bodies(table: Table) -> list[bytes]:
    drawn = random.Random(table.name)
    asked: list[dict[str, Any]] = [
        {"start": 0, "end": 200},
        {"count": True},
        {"choices": "contract_id", "search": "x"},
        {"keys": [row[table.key] for row in ROWS[table.name][:50]]},
    ]
    bodies = []
    for view in fuzzed_views(table, REQUESTS_PER_TABLE):
        question = dict(drawn.choice(asked))
        if drawn.random() < 0.3:
            hostile = drawn.choice([NUMBERS, INJECTIONS, [None, [], {}, "\x00", "\ud800"]])
            question[drawn.choice([*question, *KEYS])] = drawn.choice(list(hostile))
        try:
            bodies.append(json.dumps(question | {"view": view}).encode())
        except (RecursionError, ValueError):  # nested too deeply for our JSON, or a number too long
            bodies.append(b'{"view": ' + b"[" * 5_000)
    return bodies


async def _post(table: Table, token: str, bodies: list[bytes]) -> list[httpx.Response]:
    headers = {"Authorization": f"Bearer {token}", "Cookie": f"{BROWSER_COOKIE}={BROWSER}"}
    transport = httpx.ASGITransport(Starlette(routes=ROUTES), raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://localhost", headers=headers
    ) as client:
        return [await client.post(f"/rows/{table.name}", content=body) for body in bodies]


@pytest.mark.usefixtures("scoped")
@pytest.mark.parametrize("name", ROWS)
def test_an_invalid_request_gets_a_sentence_or_the_actors_own_rows(name: str) -> None:
    table, actor = TABLES[name], access.find_local_actor()
    assert actor is not None
    token = access.issue_token("rows", table=name, actor=actor, browser=BROWSER)
    own = {row[table.key] for row in ROWS[name] if row["contract_id"] == OWN}
    answers = asyncio.run(_post(table, token, _bodies(table)))
    assert {answer.status_code for answer in answers} == {200, 400}
    for answer in answers:
        said = answer.json()
        if answer.status_code == 400:
            assert set(said) == {"error"}
            assert said["error"].endswith(".")
            continue
        assert {row[table.key] for row in said.get("rows", [])} <= own
        assert said.get("count", 0) <= len(own)
        assert {value for value, _ in said.get("choices", [])} <= {OWN}
