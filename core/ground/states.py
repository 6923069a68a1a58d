"""The values that stored columns can have (states, types, roles), and the word for each."""

from enum import StrEnum


class ProductType(StrEnum):
    """The service that an order item is."""

    LOUNGE = "lounge"
    FAST_TRACK = "fast_track"
    MEET_AND_ASSIST = "meet_and_assist"
    DELAY_CARE = "delay_care"


class PaxType(StrEnum):
    """The age group of a passenger."""

    ADULT = "adult"
    CHILD = "child"
    INFANT = "infant"


class ItemStatus(StrEnum):
    """The stored states of an order item. *Expired* is derived: not used, valid_until is past."""

    NOT_USED = "not_used"
    USED = "used"
    REFUND_REQUESTED = "refund_requested"
    REFUNDED = "refunded"


EXPIRED = "expired"


class RefundStatus(StrEnum):
    """The states of a refund. A failed one may have succeeded before (failed_after_success_at)."""

    WAITING = "waiting"  # for the approval of a second person
    DECLINED = "declined"
    REQUESTED = "requested"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class TransactionType(StrEnum):
    """The types of ledger entries."""

    PAYMENT = "payment"
    REFUND = "refund"
    TOP_UP = "top_up"
    ADJUSTMENT = "adjustment"


class TransactionStatus(StrEnum):
    """The states of a ledger entry. Only *pending* can change."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class Method(StrEnum):
    """How money moved. It decides which gateway refunds it."""

    BALANCE = "balance"
    CARD = "card"


class DeliveryKind(StrEnum):
    """What an e-mail is about: vouchers, that they are void, a note, or decisions about refunds."""

    VOUCHER = "voucher"
    VOID_NOTICE = "void_notice"
    MENTION = "mention"
    APPROVED = "refund_approved"
    DECLINED = "refund_declined"


DECISIONS = frozenset({DeliveryKind.APPROVED, DeliveryKind.DECLINED})
TO_COLLEAGUES = DECISIONS | {DeliveryKind.MENTION}


class Channel(StrEnum):
    """How an e-mail is delivered: by a mail server, or into the outbox on disk."""

    SMTP = "smtp"
    OUTBOX = "outbox"


class DeliveryStatus(StrEnum):
    """The states of the delivery of an e-mail."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    CANCELLED = "cancelled"


class DeliveryState(StrEnum):
    """What people see of a delivery. It is derived: a mail that was sent has reached its channel.

    Older views and links say `sent` for both: see `Column.formerly_meant`.
    """

    QUEUED = DeliveryStatus.QUEUED
    SENDING = DeliveryStatus.SENDING
    SENT = "sent_by_server"
    SAVED = "saved_to_outbox"
    FAILED = DeliveryStatus.FAILED
    CANCELLED = DeliveryStatus.CANCELLED


def delivery_state(status: str, channel: str) -> DeliveryState:
    """Return what people see of a delivery. Its twin in SQL is in core.storage."""
    if status != DeliveryStatus.SENT:
        return DeliveryState(status)
    return DeliveryState.SAVED if channel == Channel.OUTBOX else DeliveryState.SENT


class Role(StrEnum):
    """The role of a user. It decides what the user may do."""

    VIEWER = "viewer"
    AGENT = "agent"
    ACCOUNTANT = "accountant"
    ADMIN = "admin"


class Permission(StrEnum):
    """Something that a role may do. A refused attempt is audited as `<permission>.refused`."""

    ORDERS = "orders"  # see and export orders, order items and refunds
    VOUCHERS = "vouchers"  # download and send them
    REFUND = "refund"  # request refunds, again after a failed one too
    OVERVIEW = "overview"  # also History of an order, Verify, own saved views
    EMAILS = "emails"  # see sent e-mails, send them again, send void notices
    TRANSACTIONS = "transactions"  # see the page Transactions, of all orders
    IMPORT = "import"  # import, dump, sample data
    USERS = "users"
    AUDIT_TRAIL = "audit_trail"
    NOTES = "notes"  # write notes on orders; who sees an order reads them
    APPROVE = "approve"  # approve or decline refunds above a contract's limit
    CONTRACTS = "contracts"  # see contracts, change their names and limits
    GIVE_BACK = "give_back"  # give back items whose refund the bank returned


# Values whose word is not simply the value in sentence case.
_SPELLED = {
    "meet_and_assist": "Meet & assist",
    "top_up": "Top-up",
    "smtp": "SMTP",
    "sent_by_server": "Sent",
}


def word_of(value: str) -> str:
    """Return the word for a value: not_used is “Not used”, in every table, file and message."""
    return _SPELLED.get(value) or value.replace("_", " ").capitalize()


def words_by_value(states: type[StrEnum]) -> dict[str, str]:
    """Return the word of each value that a column of these states can show, by value."""
    derived = [EXPIRED] if states is ItemStatus else []
    return {str(value): word_of(value) for value in (*states, *derived)}


def flag_value(flag: bool) -> str:
    """Return a yes or no as addresses and filters hold it; `word_of` gives its word."""
    return "yes" if flag else "no"


FLAG_WORDS = {flag_value(flag): word_of(flag_value(flag)) for flag in (True, False)}


class Tone(StrEnum):
    """The colour of a state's tag on the screen."""

    GOOD = "good"
    NEUTRAL = "neutral"
    WARN = "warn"  # unfinished: someone may have to act
    BAD = "bad"


# Only states have a tone; no type or role is better than another.
TONES: dict[type[StrEnum], dict[str, Tone]] = {
    ItemStatus: {
        ItemStatus.NOT_USED: Tone.GOOD,
        ItemStatus.USED: Tone.NEUTRAL,
        ItemStatus.REFUND_REQUESTED: Tone.WARN,
        ItemStatus.REFUNDED: Tone.NEUTRAL,
        EXPIRED: Tone.NEUTRAL,
    },
    TransactionStatus: {
        TransactionStatus.PENDING: Tone.WARN,
        TransactionStatus.SUCCEEDED: Tone.GOOD,
        TransactionStatus.FAILED: Tone.BAD,
    },
    RefundStatus: {
        RefundStatus.WAITING: Tone.WARN,
        RefundStatus.DECLINED: Tone.NEUTRAL,
        RefundStatus.REQUESTED: Tone.WARN,
        RefundStatus.PROCESSING: Tone.WARN,
        RefundStatus.SUCCEEDED: Tone.GOOD,
        RefundStatus.FAILED: Tone.BAD,
    },
    DeliveryState: {
        DeliveryState.QUEUED: Tone.WARN,
        DeliveryState.SENDING: Tone.WARN,
        DeliveryState.SENT: Tone.GOOD,
        DeliveryState.SAVED: Tone.NEUTRAL,
        DeliveryState.FAILED: Tone.BAD,
        DeliveryState.CANCELLED: Tone.NEUTRAL,
    },
}
