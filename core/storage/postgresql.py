"""Connections to PostgreSQL: how they are set up, limited and checked before they are used."""

import select
import time
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry

from core.ground import Settings
from core.storage.written import to_json

# A host that vanishes is noticed in half a minute instead of a quarter of an hour.
_TIMEOUTS = {
    "connect_timeout": 3,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
POOL_SECONDS = 10.0  # how long to wait for a connection of the pool
IDLE_SECONDS = 5.0  # a connection that was not used for longer is asked whether it is alive
_USED_AT = "order_desk_used_at"
# An execution option: ask PostgreSQL only for the plan. The prefix is added when the statement
# runs; SQLAlchemy would compile an EXPLAIN each time, which takes longer than the answer.
EXPLAIN = "order_desk_explains"
_LIMITS = ("statement_timeout", "idle_in_transaction_session_timeout")
_AS_IT_IS = {"no_parameters": True}  # only a statement without any can be several


def create_postgresql_engine(address: URL, settings: Settings) -> Engine:
    """Build an engine with at most DATABASE_CONNECTIONS connections, without connecting."""
    options, given = _options(settings), dict[str, Any](_TIMEOUTS)
    if settings.database_pooler is None:
        given["options"] = " ".join(f"-c {name}={value}" for name, value in options.items())
        at_begin = ""
    else:
        # The pooler refuses options, and gives each transaction another connection: a statement
        # that is prepared on one is unknown on the next.
        given["prepare_threshold"] = None
        at_begin = _set_local(options)
    engine = create_engine(
        address,
        json_serializer=to_json,
        pool_size=settings.database_connections,
        max_overflow=0,
        pool_timeout=POOL_SECONDS,
        connect_args=given,
    )
    _limit_transactions(engine, at_begin)
    event.listen(engine, "checkin", _note_use)
    event.listen(engine, "checkout", _check_alive)
    event.listen(engine, "before_cursor_execute", _explain, retval=True)
    return engine


def _options(settings: Settings) -> dict[str, str]:
    """Return what each transaction is run with; times without a unit are milliseconds.

    Without jit: compiling most of our queries takes longer than running them. Starting the
    processes of a parallel query takes 10 to 40 ms, so only a query that reads millions of rows has
    them.
    """
    return {
        "lock_timeout": "3000",
        _LIMITS[0]: f"{settings.database_query_seconds * 1000}",
        _LIMITS[1]: f"{settings.database_idle_seconds * 1000}",
        "timezone": "UTC",
        "jit": "off",
        "parallel_setup_cost": "10000",
    }


def _set_local(options: dict[str, str]) -> str:
    return "; ".join(f"SET LOCAL {name} = '{value}'" for name, value in options.items())


def _limit_transactions(engine: Engine, at_begin: str) -> None:
    """Give each transaction its options; one that writes may take as long as it needs."""

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        given, more = connection.get_execution_options(), ""
        if given.get("order_desk_unlimited"):
            more = _set_local(dict.fromkeys(_LIMITS, "0"))
        elif given.get("order_desk_writes"):
            more = _set_local({_LIMITS[0]: "0"})
        asked = "; ".join(filter(None, (at_begin, more)))
        if asked:  # SET takes no snapshot: `reading` can lock a table before it has one
            connection.exec_driver_sql(asked, execution_options=_AS_IT_IS)


def _note_use(_connection: Any, entry: ConnectionPoolEntry) -> None:
    entry.info[_USED_AT] = time.monotonic()


def _check_alive(connection: Any, entry: ConnectionPoolEntry, _proxy: Any) -> None:
    """Replace a connection that the server has closed, as pool_pre_ping does.

    That asks the server each time. If the connection was used a moment ago, it is enough that the
    server has sent nothing since: neither its goodbye nor the end of the stream.
    """
    used_at = entry.info.get(_USED_AT)
    if used_at is None:  # new
        return
    try:
        if time.monotonic() - used_at < IDLE_SECONDS and not _has_news(connection.fileno()):
            return
        connection.autocommit = True
        connection.execute("")
        connection.autocommit = False
    except psycopg.Error as error:
        raise InvalidatePoolError("The server has closed the connection.") from error


def _has_news(socket: int) -> bool:
    """Return whether a socket can be read; always true where the system cannot say."""
    if not hasattr(select, "poll"):
        return True
    watched = select.poll()
    watched.register(socket, select.POLLIN)
    return bool(watched.poll(0))


def _explain(
    _connection: Connection,
    _cursor: Any,
    statement: str,
    parameters: Any,
    context: Any,
    _many: bool,
) -> tuple[str, Any]:
    explains = context is not None and context.execution_options.get(EXPLAIN)
    return f"EXPLAIN (FORMAT JSON) {statement}" if explains else statement, parameters
