"""Outcomes that a gateway's double gives in tests."""

from datetime import timedelta

from core.refunds.gateway import Failed, Succeeded, Unknown

DECLINED = Failed("Stripe refused the refund: this card is closed.")
NO_ANSWER = Unknown("The card provider did not answer. Order Desk will ask again.")
DONE = Succeeded("re_1")
A_MINUTE = timedelta(minutes=1)
BEFORE_LEASE_ENDS = timedelta(seconds=59)  # LEASE_SECONDS is 60
