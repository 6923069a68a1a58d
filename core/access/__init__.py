"""Who may do what: users, sign-ins, tokens, roles, rights, and the audit trail.

`permissions` lists what each role may do. `rights` checks it again inside a transaction.
"""

from core.access.actors import (
    BY_ITSELF,
    CONSOLE,
    LOCAL_USER_EMAIL,
    Actor,
    find_console_actor,
    find_local_actor,
)
from core.access.audit import record_event
from core.access.contracts import (
    MAX_CONTRACT_NAME,
    ContractFacts,
    change_contract,
    get_contract,
)
from core.access.limits import check_hourly_limit
from core.access.once import MAX_KEY, KeyTaken, checked_key, fingerprint
from core.access.people import (
    Person,
    Rights,
    add_user,
    change_user,
    ensure_someone_can_sign_in,
    find_contracts,
    forget_sign_in,
    get_person,
)
from core.access.permissions import may, require, roles_with, why_not
from core.access.rights import changing, committing, handing_out
from core.access.sign_ins import SignInNeeded, accept_sign_in, end_sign_in, parse_claims, sign_out
from core.access.tokens import (
    SIGNING_SECRET_FILE,
    TOKEN_LIFE_SECONDS,
    Grant,
    Purpose,
    accept_token,
    ensure_secret,
    issue_token,
    secret_for,
)

__all__ = [
    "BY_ITSELF",
    "CONSOLE",
    "LOCAL_USER_EMAIL",
    "MAX_CONTRACT_NAME",
    "MAX_KEY",
    "SIGNING_SECRET_FILE",
    "TOKEN_LIFE_SECONDS",
    "Actor",
    "ContractFacts",
    "Grant",
    "KeyTaken",
    "Person",
    "Purpose",
    "Rights",
    "SignInNeeded",
    "accept_sign_in",
    "accept_token",
    "add_user",
    "change_contract",
    "change_user",
    "changing",
    "check_hourly_limit",
    "checked_key",
    "committing",
    "end_sign_in",
    "ensure_secret",
    "ensure_someone_can_sign_in",
    "find_console_actor",
    "find_contracts",
    "find_local_actor",
    "fingerprint",
    "forget_sign_in",
    "get_contract",
    "get_person",
    "handing_out",
    "issue_token",
    "may",
    "parse_claims",
    "record_event",
    "require",
    "roles_with",
    "secret_for",
    "sign_out",
    "why_not",
]
