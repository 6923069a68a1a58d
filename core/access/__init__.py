"""Who may do what: people, sign-ins, tokens, roles, rights, and the audit trail."""

from core.access.actors import (
    CONSOLE,
    LOCAL_USER_EMAIL,
    Actor,
    find_console_actor,
    find_local_actor,
)
from core.access.audit import record_event
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
from core.access.permissions import may, require, why_not
from core.access.rights import changing, committing, handing_out
from core.access.sign_ins import SignInNeeded, accept_sign_in, end_sign_in, parse_claims, sign_out
from core.access.tokens import (
    SIGNING_SECRET_FILE,
    TOKEN_LIFE_SECONDS,
    Grant,
    accept_token,
    ensure_secret,
    issue_token,
    secret_for,
)

__all__ = [
    "CONSOLE",
    "LOCAL_USER_EMAIL",
    "SIGNING_SECRET_FILE",
    "TOKEN_LIFE_SECONDS",
    "Actor",
    "Grant",
    "Person",
    "Rights",
    "SignInNeeded",
    "accept_sign_in",
    "accept_token",
    "add_user",
    "change_user",
    "changing",
    "committing",
    "end_sign_in",
    "ensure_secret",
    "ensure_someone_can_sign_in",
    "find_console_actor",
    "find_contracts",
    "find_local_actor",
    "forget_sign_in",
    "get_person",
    "handing_out",
    "issue_token",
    "may",
    "parse_claims",
    "record_event",
    "require",
    "secret_for",
    "sign_out",
    "why_not",
]
