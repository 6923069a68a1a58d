"""Idempotency: a request that is sent twice under one key is carried out once."""

import hashlib
import json

from core.ground import InvalidInput, Refused

MAX_KEY = 100  # characters


class KeyTaken(Refused):
    """The same key was sent with a different request."""

    def __init__(self) -> None:
        super().__init__(
            "This request was sent before with other items, another reason or another note. "
            "Nothing was changed now. Close the dialog and check the status of the items."
        )


def checked_key(key: str) -> str:
    """Return the idempotency key of a request; raises InvalidInput if it is not valid."""
    if not 0 < len(key) <= MAX_KEY or not key.isprintable():
        raise InvalidInput("The request has no valid key. Close the dialog and open it again.")
    return key


def fingerprint(*content: object) -> str:
    """Return a hash of a request's content; it detects another request under the same key."""
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
