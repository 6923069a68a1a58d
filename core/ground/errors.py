"""The kinds of failure that a person can act on; each text is a full sentence, safe to show."""


class AppError(Exception):
    """A failure whose text says what is wrong and what to do, without internals or secrets."""


class NotFound(AppError):
    """What was asked for does not exist, or is not for this person to see: the same answer."""


class NotSignedIn(AppError):
    """Nobody is signed in, or what proves it is missing, too old or not genuine."""


class NotPermitted(AppError):
    """The person may not do this."""


class InvalidInput(AppError):
    """What came in cannot be understood; nothing was changed."""


class Refused(AppError):
    """A business rule says no; nothing was changed."""


class OutsideFailed(AppError):
    """Something Order Desk depends on does not answer: try again later."""
