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
    """The states of a refund; a failed one may have succeeded before (failed_after_success_at)."""

    WAITING = "waiting"  # for a second person
    DECLINED = "declined"
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


class Permission(StrEnum):
    """Something that a role may do or not; a refused try is audited as `<permission>.refused`."""

    ORDERS = "orders"  # see orders and order items, and export what is seen
    VOUCHERS = "vouchers"  # download and send them
    REFUND = "refund"  # also once more, after one that failed
    OVERVIEW = "overview"  # and an order's Transactions and History, verify, own saved views
    EMAILS = "emails"  # see what was sent, send it again, send notice that a voucher is void
    TRANSACTIONS = "transactions"  # those of every order: the page
    IMPORT = "import"  # and dump, and demo data
    USERS = "users"
    AUDIT_TRAIL = "audit_trail"
    GIVE_BACK = "give_back"  # an item whose refund the bank returned


class Tone(StrEnum):
    """How a state is felt: the tint of its tag on the screen, beside its word."""

    GOOD = "good"
    NEUTRAL = "neutral"
    WARN = "warn"  # not settled: somebody may have to look at it
    BAD = "bad"


# Of the states alone: a type or a role is no better than another.
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
    DeliveryStatus: {
        DeliveryStatus.QUEUED: Tone.WARN,
        DeliveryStatus.SENDING: Tone.WARN,
        DeliveryStatus.SENT: Tone.GOOD,
        DeliveryStatus.FAILED: Tone.BAD,
        DeliveryStatus.CANCELLED: Tone.NEUTRAL,
    },
}
