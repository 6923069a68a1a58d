"""Errors that the user can act on. Each text is a full sentence, safe to show."""


class AppError(Exception):
    """The parent of all errors. The text says what is wrong and what to do, without secrets."""

    user_id: str | None = None  # the user whom a refused token names, for the log


class NotFound(AppError):
    """The object does not exist, or the actor cannot see it. The answer is the same."""


class NotSignedIn(AppError):
    """No one is signed in, or the proof of it is missing, expired or forged."""


class NotPermitted(AppError):
    """The actor does not have the permission."""


class InvalidInput(AppError):
    """The input is invalid; nothing was changed."""


class Refused(AppError):
    """A business rule refuses the request; nothing was changed."""


class OutsideFailed(AppError):
    """A service that Order Desk needs does not answer; try again later."""
