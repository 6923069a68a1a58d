"""Contracts: admins name them, and limit what one person may refund of them alone."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from core import storage
from core.access import audit
from core.access.actors import LOCAL_USER_ID, Actor
from core.access.permissions import require
from core.access.rights import changing
from core.ground import (
    MAX_AMOUNT,
    InvalidInput,
    NotFound,
    Permission,
    Refused,
    format_money,
    is_storable,
    storable,
)
from core.storage import Contract

MAX_CONTRACT_NAME = 200
MAX_LIMIT = MAX_AMOUNT  # minor units: as far above every limit as the database allows for sums
ONE_PERSON = (
    "Order Desk has one user here, so nobody could approve a refund above a limit. Set up sign-in "
    "first (OIDC_METADATA_URL)."
)


@dataclass(frozen=True)
class ContractFacts:
    """A contract, as admins see it; amounts in minor units of its currency."""

    contract_id: str
    name: str
    currency: str
    balance_minor: int
    refund_limit_minor: int | None


def get_contract(contract_id: str, *, actor: Actor) -> ContractFacts:
    """Return a contract; raises NotPermitted and NotFound."""
    require(actor, Permission.CONTRACTS)
    with storage.reading() as session:
        contract = session.get(Contract, contract_id) if is_storable(contract_id) else None
        if contract is None:
            raise _not_found(contract_id)
        return ContractFacts(
            contract.contract_id,
            contract.name,
            contract.currency,
            contract.balance_minor,
            contract.refund_limit_minor,
        )


def _not_found(contract_id: str) -> NotFound:
    return NotFound(f"Contract “{contract_id[:60]}” was not found.")


def change_contract(
    contract_id: str, *, name: str, refund_limit_minor: int | None, actor: Actor, now: datetime
) -> None:
    """Change a contract's name and its limit in minor units; None means no limit. Audit it.

    A refund above the limit waits for a second person (see core.refunds.approval). Raises
    NotPermitted, NotFound, InvalidInput, and Refused for a limit where there is only one user.
    """
    name = storable(name.strip())
    if not 0 < len(name) <= MAX_CONTRACT_NAME:
        raise InvalidInput(f"A contract needs a name of 1 to {MAX_CONTRACT_NAME:,} characters.")
    if refund_limit_minor is not None and not 0 <= refund_limit_minor <= MAX_LIMIT:
        raise InvalidInput("The limit must be an amount of zero or more.")
    with changing(actor, Permission.CONTRACTS) as (session, actor):
        if refund_limit_minor is not None and actor.user_id == LOCAL_USER_ID:
            raise Refused(ONE_PERSON)
        is_one = Contract.contract_id == contract_id
        contract = (
            session.scalars(select(Contract).where(is_one).with_for_update()).one_or_none()
            if is_storable(contract_id)
            else None
        )
        if contract is None:
            raise _not_found(contract_id)
        before = _facts(contract)
        contract.name, contract.refund_limit_minor = name, refund_limit_minor
        audit.record_event(
            session,
            "contract.changed",
            actor=actor,
            entity="contract",
            entity_id=contract_id,
            contract_id=contract_id,
            now=now,
            before=before,
            after=_facts(contract),
        )


def _facts(contract: Contract) -> dict[str, str | int | None]:
    limit = contract.refund_limit_minor
    said = None if limit is None else format_money(limit, contract.currency)
    return {"name": contract.name, "refund_limit": said}
