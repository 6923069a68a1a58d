"""The body of a request: its declared length, known before it is read, and reading it."""

from starlette.requests import Request

from core.ground import InvalidInput

_MAX_DIGITS = 15


def declared_bytes(request: Request) -> int | None:
    """Return Content-Length in bytes; None for a body in chunks.

    Raises InvalidInput if the header is not a number of bytes.
    """
    lengths = request.headers.getlist("content-length")
    if not lengths:
        return None
    if len(set(lengths)) > 1 or not (lengths[0].isascii() and lengths[0].isdecimal()):
        raise InvalidInput("The header Content-Length of the request is invalid.")
    if len(lengths[0].lstrip("0")) > _MAX_DIGITS:
        return 10**15
    return int(lengths[0][-_MAX_DIGITS:])


async def read_body(request: Request, most: int, too_long: str) -> bytes:
    """Read the body of a request whose token is accepted.

    Raises InvalidInput with the sentence `too_long` if it has more than `most` bytes.
    """
    body = bytearray()
    if (declared_bytes(request) or 0) > most:
        raise InvalidInput(too_long)
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise InvalidInput(too_long)
    return bytes(body)
