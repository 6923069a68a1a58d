"""The names of contracts get the columns to search in and to sort by, as other texts have."""

from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

from core.ground import fold, sort_key

revision = "0014"
down_revision = "0013"

PLAIN = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
MAKERS: dict[str, Callable[[str], str]] = {"name_folded": fold, "name_sort_key": sort_key}


def upgrade() -> None:
    """Add and fill the columns: contracts are few."""
    for column in MAKERS:
        op.add_column("contracts", sa.Column(column, PLAIN, nullable=False, server_default=""))
    bind = op.get_bind()
    made = sa.text(
        f"UPDATE contracts SET {', '.join(f'{one} = :{one}' for one in MAKERS)} "  # noqa: S608
        "WHERE contract_id = :contract_id"
    )
    for contract_id, name in bind.execute(sa.text("SELECT contract_id, name FROM contracts")).all():
        twins = {column: make(name) for column, make in MAKERS.items()}
        bind.execute(made, {"contract_id": contract_id, **twins})
    op.create_index("ix_contracts_name", "contracts", ["name_sort_key", "contract_id"], unique=True)
    op.execute("ANALYZE contracts")
