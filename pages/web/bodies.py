"""How long a request says its body is: known before the body is read."""

from starlette.requests import Request

from core.ground import InvalidInput

_MAX_DIGITS = 15


def declared_bytes(request: Request) -> int | None:
    """Return what Content-Length says; None for a body that comes in chunks.

    Raises InvalidInput when it is no number of bytes.
    """
    said = request.headers.getlist("content-length")
    if not said:
        return None
    if len(set(said)) > 1 or not (said[0].isascii() and said[0].isdecimal()):
        raise InvalidInput("The request does not say how long it is.")
    return int(said[0][-_MAX_DIGITS:]) if len(said[0].lstrip("0")) <= _MAX_DIGITS else 10**15
