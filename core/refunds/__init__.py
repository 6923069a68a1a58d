"""Refunds: the rule, the request, the payment by a gateway, and what happens to it afterwards.

`requests` stores a request. `settlement` moves the money: it calls a gateway (`stripe`, or the
contract's balance) and records the outcome in the `ledger`.
"""

from core.refunds.assessment import Assessed, Assessment, assess
from core.refunds.decisions import MAX_NOTE
from core.refunds.gateways import configured_gateways
from core.refunds.matches import Unmatched, dismiss_refund, find_unmatched, match_refund
from core.refunds.requests import REASONS, request
from core.refunds.results import (
    IN_PROGRESS,
    NOT_REFUNDED,
    REFUNDED,
    Results,
    export_results,
    get_results,
)
from core.refunds.returned import WAS_RETURNED, look_again_due, mark_as_returned, record_return
from core.refunds.returned_items import Returned, find_returned, give_back
from core.refunds.rule import REASON_TEXTS, Reason, RefundItem
from core.refunds.settlement import settle_due

__all__ = [
    "IN_PROGRESS",
    "MAX_NOTE",
    "NOT_REFUNDED",
    "REASONS",
    "REASON_TEXTS",
    "REFUNDED",
    "WAS_RETURNED",
    "Assessed",
    "Assessment",
    "Reason",
    "RefundItem",
    "Results",
    "Returned",
    "Unmatched",
    "assess",
    "configured_gateways",
    "dismiss_refund",
    "export_results",
    "find_returned",
    "find_unmatched",
    "get_results",
    "give_back",
    "look_again_due",
    "mark_as_returned",
    "match_refund",
    "record_return",
    "request",
    "settle_due",
]
