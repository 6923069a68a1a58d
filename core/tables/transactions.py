"""The table of transactions, the entries of the ledger."""

from core.ground import Method, Permission, TransactionStatus, TransactionType
from core.storage import Order, Transaction
from core.tables.columns import CONTRACT, NO, Column, Kind, Table
from core.tables.ready_made import recent
from core.tables.related import Through

# One line for what a column is, and one for its options; ruff would put each argument on its own.
# fmt: off
TRANSACTIONS = Table(
    name="transactions",
    title="Transactions",
    one="transaction",
    many="transactions",
    model=Transaction,
    key="transaction_id",
    is_indexed=True,
    ready_made=recent(),
    seen_with=Permission.TRANSACTIONS,
    seen_in_order_with=Permission.OVERVIEW,
    hint_of_order="Payments appear when transactions are imported, refunds when they are made.",
    columns=(
        NO,
        Column(
            "short_reference", "Reference", Kind.CODE,
            "A short name of the transaction to say on the phone.",
            is_shown=True, is_reference=True, prefix="T-", width=95
        ),
        Column(
            "transaction_id", "Transaction ID", Kind.CODE, "The ID of the transaction.",
            is_shown=True, is_required=True, is_reference=True, width=190
        ),
        Column(
            "created_at", "Created Date", Kind.INSTANT, "When the transaction was recorded.",
            is_shown=True, is_required=True, width=145
        ),
        Column(
            "type", "Type", Kind.CODE, "Payment, refund, top-up or adjustment.",
            has_choices=True, is_shown=True, is_required=True, allowed=TransactionType, width=100
        ),
        Column(
            "amount_minor", "Amount", Kind.MONEY,
            "Signed from the contract's side: payments are negative, refunds positive.",
            is_shown=True, is_required=True, currency="currency", width=100
        ),
        Column(
            "currency", "Currency", Kind.CODE, "The currency of Amount (ISO 4217).",
            has_choices=True, is_shown=True, is_required=True, width=86
        ),
        Column(
            "status", "Status", Kind.CODE, "Pending, succeeded or failed.",
            if_blank="If not given: Succeeded.",
            has_choices=True, is_shown=True, allowed=TransactionStatus, width=108
        ),
        Column(
            "order_id", "Order ID", Kind.CODE, "The order of the transaction; blank for a top-up.",
            is_shown=True, is_shown_in_order=False, is_reference=True, opens_order=True,
            searched_through=Through(Order, by="order_id"), width=145
        ),
        Column(
            "order_item_id", "Order Item ID", Kind.CODE,
            "The order item of the transaction; required for a refund.",
            is_shown=True, is_reference=True, opens_its_order=True, width=160
        ),
        Column(
            "contract_id", "Contract ID", Kind.CODE,
            "The contract whose money moved.", if_blank="If not given: the order's contract.",
            has_choices=True, is_shown=True, width=128
        ),
        CONTRACT,
        Column(
            "method", "Method", Kind.CODE, "Balance or card.",
            if_blank="If not given: Balance.",
            has_choices=True, is_shown=True, allowed=Method, width=85
        ),
        Column(
            "reference", "Provider Reference", Kind.TEXT, "The payment provider's ID.",
            is_shown=True, width=150
        ),
        Column(
            "author", "Author", Kind.TEXT, "Who caused the transaction.",
            if_blank="If not given: the order's author.",
            has_choices=True, is_shown=True, width=240
        ),
        Column(
            "refund_id", "Refund ID", Kind.CODE,
            "The transaction's refund. If an adjustment has one, the bank returned the refund.",
            if_blank="If not given: generated for a refund."
        ),
    ),
)
