"""The table of contracts."""

from core.ground import Permission
from core.storage import Contract
from core.tables.columns import Column, Kind, Table

# One line for what a column is, and one for its options; ruff would put each argument on its own.
# fmt: off
CONTRACTS = Table(
    name="contracts",
    title="Contracts",
    one="contract",
    many="contracts",
    model=Contract,
    key="contract_id",
    newest="contract_id",
    ready_made={},
    hint="They come with imported orders.",
    seen_with=Permission.CONTRACTS,
    columns=(
        Column(
            "contract_id", "Contract ID", Kind.CODE, "The ID of the contract.",
            is_shown=True, is_reference=True, width=150
        ),
        Column("name", "Name", Kind.TEXT, "The name of the customer.", is_shown=True, width=260),
        Column(
            "currency", "Currency", Kind.CODE, "The currency of the contract (ISO 4217).",
            has_choices=True, is_shown=True, width=120
        ),
        Column(
            "balance_minor", "Balance", Kind.MONEY, "What the contract has left to pay with.",
            is_shown=True, currency="currency", width=150
        ),
        Column(
            "refund_limit_minor", "Refund Limit", Kind.MONEY,
            "What one person may refund within 24 hours. Above it, a second person approves.",
            is_shown=True, currency="currency", width=150
        ),
    ),
)
