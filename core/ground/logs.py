"""The log: one line per record on stderr, as text or JSON, with the request ID, without secrets."""

import json
import logging
import re
import secrets
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import cache
from typing import Any

from pydantic import SecretStr
from sqlalchemy.engine import make_url

from core.ground.settings import get_settings

logger = logging.getLogger(__name__)

HIDDEN = "***"
MAX_MESSAGE, MAX_ERROR = 10_000, 40_000  # characters
MAX_SCANNED = 200_000  # characters; scanning them takes some hundredths of a second
MAX_SPLIT = 10_000  # characters of a secret with blanks that the cut may split
MIN_SECRET = 6  # characters; a shorter secret is not hidden, since many words contain it
_request: ContextVar[str | None] = ContextVar("request", default=None)
_HIDDEN_AFTER = [
    re.compile(pattern, re.IGNORECASE | re.DOTALL)
    for pattern in (
        r"((?:token|code|state|password|secret|api_key|browser)(?:=|%3d))[^&\s\"',;)]+",
        r"(\b(?:bearer|basic) +)[^\s\"',;]+",
        r"(\b(?:set-)?cookie['\"]?[:=] *+)[^\n]+",
        r"(\b[rs]k_(?:live|test)_)\w+",
        r"(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(?=-----END|$)",
    )
]
# The password in a URL, up to the last @ of the word. The match includes the rest of the word, so
# that no part is scanned again for each URL that begins there (quadratic time).
_IN_ADDRESS = re.compile(r"(://[^/\s:@]*+:)((?:[^\s@]*+@)*+)(\S*+)")


@contextmanager
def with_request_id() -> Iterator[str]:
    """Mark the log lines of the block with a request ID, and yield it. Nested blocks share one.

    Error messages show it, so that a user can quote it.
    """
    outer = _request.get()
    if outer is not None:
        yield outer
        return
    token = _request.set(secrets.token_hex(4))
    try:
        yield _request.get() or ""
    finally:
        _request.reset(token)


def set_request_id() -> str:
    """Set a new request ID for the rest of this task, and return it."""
    _request.set(request_id := secrets.token_hex(4))
    return request_id


def configure_logs() -> None:
    """Set up the root logger as LOG_FORMAT and LOG_LEVEL say; replace all other handlers.

    Warnings of libraries are logged too, and what ends a thread, unless somebody else looks
    after that.
    """
    settings = get_settings()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLine() if settings.log_format == "json" else TextLine())
    handler.setLevel(settings.log_level.upper())  # some loggers have their own level
    handler.addFilter(_add_request)
    logging.basicConfig(handlers=[handler], level=settings.log_level.upper(), force=True)
    logging.captureWarnings(True)
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = _log_uncaught


def _log_uncaught(ended: threading.ExceptHookArgs) -> None:
    """Log the error as any other; Python would print it on many lines, with its secrets."""
    if ended.exc_value is not None and not isinstance(ended.exc_value, SystemExit):
        name = "?" if ended.thread is None else ended.thread.name
        logger.error("The thread %s has failed", name, exc_info=ended.exc_value)


def use_root_handler(logger: logging.Logger) -> None:
    """Remove a library logger's own handlers, so that its records reach ours."""
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
    logger.propagate = True


def without_secrets(text: str) -> str:
    """Mask tokens, passwords and keys in a text: those of the settings, and what looks like one."""
    for secret in _secrets():
        text = text.replace(secret, HIDDEN)
    for pattern in _HIDDEN_AFTER:
        text = pattern.sub(rf"\1{HIDDEN}", text)
    return _IN_ADDRESS.sub(_without_password, text)


def _without_password(found: re.Match[str]) -> str:
    start, password, rest = found.groups()
    return f"{start}{HIDDEN}@{rest}" if password else found[0]


def _shortened(text: str, limit: int) -> str:
    """Mask the secrets of a text, and keep only the two ends of a long one.

    Secrets are masked before the cut: half a secret would not be recognised. If a text is too
    long to scan, only its beginning is kept, up to the last whole word.
    """
    if len(text) > MAX_SCANNED:
        words = text[:MAX_SCANNED].rsplit(None, 1)
        read = without_secrets(words[0])[:-MAX_SPLIT] if len(words) > 1 else ""
        return f"{read[:limit]} {_left_out(len(text) - min(len(read), limit))}"
    hidden = without_secrets(text)
    if len(hidden) <= limit:
        return hidden
    half = limit // 2
    return f"{hidden[:half]} {_left_out(len(hidden) - 2 * half)} {hidden[-half:]}"


def _left_out(count: int) -> str:
    return f"[… {count:,} characters left out …]"


@cache
def _secrets() -> tuple[str, ...]:
    settings = get_settings()
    values = [getattr(settings, name) for name in type(settings).model_fields]
    found = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
    for url in (settings.database_url, settings.database_read_url):
        found.append((make_url(url).password if url else None) or "")
    return tuple(sorted((one for one in found if len(one) >= MIN_SECRET), key=len, reverse=True))


def _add_request(record: logging.LogRecord) -> bool:
    record.request = _request.get()
    return True


class _Line(logging.Formatter):
    """The parent of both formats: message and error, without secrets, of limited length."""

    def _message(self, record: logging.LogRecord) -> str:
        return _shortened(record.getMessage(), MAX_MESSAGE)

    def _error(self, record: logging.LogRecord) -> str:
        parts = [self.formatException(record.exc_info)] if record.exc_info else []
        parts += [self.formatStack(record.stack_info)] if record.stack_info else []
        return _shortened("\n".join(parts), MAX_ERROR)


class TextLine(_Line):
    """A line of text; the traceback of an error follows on the same line."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s [%(process)d %(request)s] %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without secrets, its line breaks escaped: no text can forge a line."""
        record.message = self._message(record)
        record.asctime = self.formatTime(record)
        parts = (self.formatMessage(record), self._error(record))
        return _escaped(" | ".join(filter(None, parts)))


def _escaped(text: str) -> str:
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


class JsonLine(_Line):
    """A line of JSON: time (UTC), level, logger, process, message, request, facts and the error.

    A record has its facts, such as the status of an answer, in its attribute `facts`.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without secrets."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.process,
            "message": self._message(record),
            "request": getattr(record, "request", None),
        }
        for name, fact in getattr(record, "facts", {}).items():
            line[name] = _shortened(fact, MAX_MESSAGE) if isinstance(fact, str) else fact
        if error := self._error(record):
            line["error"] = error
        return json.dumps(line)
