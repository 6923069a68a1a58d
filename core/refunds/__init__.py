"""Refunds: the rule, the request, the payment by a gateway, and what happens to it afterwards.

`requests` stores a request. `settlement` moves the money: it calls a gateway (`stripe`, or the
contract's balance) and records the outcome in the `ledger`. Above a limit (`limits`) a second
person decides first (`approval`); `told` says who gets an e-mail about it.
"""

from core.refunds.approval import Decided, Decision, approve, decline
from core.refunds.assessment import Assessed, Assessment, assess, find_items
from core.refunds.cards import cannot_refund_cards
from core.refunds.decisions import MAX_NOTE
from core.refunds.gateways import configured_gateways
from core.refunds.late import decline_late
from core.refunds.matches import Unmatched, dismiss_refund, find_unmatched, match_refund
from core.refunds.requests import request
from core.refunds.results import (
    IN_PROGRESS,
    NOT_REFUNDED,
    REFUNDED,
    WAITING,
    Results,
    export_results,
    get_results,
)
from core.refunds.returned import WAS_RETURNED, look_again_due, mark_as_returned, record_return
from core.refunds.returned_items import Returned, find_returned, give_back
from core.refunds.rule import NO_CARD_REFUNDS, REASON_TEXTS, Reason, RefundItem
from core.refunds.settlement import settle_due
from core.refunds.waiting import Waiting, count_of_waiting, find_waiting

__all__ = [
    "IN_PROGRESS",
    "MAX_NOTE",
    "NOT_REFUNDED",
    "NO_CARD_REFUNDS",
    "REASON_TEXTS",
    "REFUNDED",
    "WAITING",
    "WAS_RETURNED",
    "Assessed",
    "Assessment",
    "Decided",
    "Decision",
    "Reason",
    "RefundItem",
    "Results",
    "Returned",
    "Unmatched",
    "Waiting",
    "approve",
    "assess",
    "cannot_refund_cards",
    "configured_gateways",
    "count_of_waiting",
    "decline",
    "decline_late",
    "dismiss_refund",
    "export_results",
    "find_items",
    "find_returned",
    "find_unmatched",
    "find_waiting",
    "get_results",
    "give_back",
    "look_again_due",
    "mark_as_returned",
    "match_refund",
    "record_return",
    "request",
    "settle_due",
]
