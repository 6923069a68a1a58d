"""The words a stored row may hold: states, types, roles."""

from enum import StrEnum


class ProductType(StrEnum):
    """What an order item is."""

    LOUNGE = "lounge"
    FAST_TRACK = "fast_track"
    MEET_AND_ASSIST = "meet_and_assist"
    DELAY_CARE = "delay_care"


class PaxType(StrEnum):
    """Whom an order item is for."""

    ADULT = "adult"
    CHILD = "child"
    INFANT = "infant"


class ItemStatus(StrEnum):
    """The stored states of an order item; *expired* is derived (not_used, valid_until past)."""

    NOT_USED = "not_used"
    USED = "used"
    REFUND_REQUESTED = "refund_requested"
    REFUNDED = "refunded"


EXPIRED = "expired"


class RefundStatus(StrEnum):
    """The states of a refund."""

    REQUESTED = "requested"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class TransactionType(StrEnum):
    """The entries of the ledger."""

    PAYMENT = "payment"
    REFUND = "refund"
    TOP_UP = "top_up"
    ADJUSTMENT = "adjustment"


class TransactionStatus(StrEnum):
    """The states of a ledger entry; only pending may change."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class Method(StrEnum):
    """How money moved, and so which gateway refunds it."""

    BALANCE = "balance"
    CARD = "card"


class DeliveryKind(StrEnum):
    """What an e-mail brings: vouchers, or word that they are void."""

    VOUCHER = "voucher"
    VOID_NOTICE = "void_notice"


class Channel(StrEnum):
    """Which way an e-mail goes: to a mail server, or into the outbox on disk."""

    SMTP = "smtp"
    OUTBOX = "outbox"


class DeliveryStatus(StrEnum):
    """The states of a delivery."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Role(StrEnum):
    """What a person may do."""

    VIEWER = "viewer"
    AGENT = "agent"
    ACCOUNTANT = "accountant"
    ADMIN = "admin"
