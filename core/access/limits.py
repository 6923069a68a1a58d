"""Hourly limits: how many refunds, e-mails or exported rows one person can request in an hour."""

from collections.abc import Callable
from datetime import datetime, timedelta

from core.ground import Refused

AN_HOUR = timedelta(hours=1)
Count = Callable[[datetime], int]  # counts what the person requested after an instant


def check_hourly_limit(
    limit: int | None,
    before: Count,
    requested: Callable[[], int],
    refusal: Callable[[int, int, int], Refused],
    *,
    now: datetime,
) -> None:
    """Raise the refusal if the request would exceed the limit within the hour that ends now.

    The refusal is made from the limit, the number before and the number requested. Nothing is
    counted if there is no limit.
    """
    if limit is None:
        return
    counted, wanted = before(now - AN_HOUR), requested()
    if counted + wanted > limit:
        raise refusal(limit, counted, wanted)
