"""Actions and their dialogs: refund, vouchers, e-mails, users, imports, demo data."""

from pages.dialogs.approval import show_approval
from pages.dialogs.contracts import show_contract_actions
from pages.dialogs.demo import show_demo
from pages.dialogs.due import show_due
from pages.dialogs.email_states import EMAIL_STATES, show_email_states
from pages.dialogs.emails import show_email_actions
from pages.dialogs.import_check import show_check
from pages.dialogs.import_help import show_needs, show_recent_imports
from pages.dialogs.import_run import show_end, show_running
from pages.dialogs.import_upload import keeping_refusal, show_refusal, show_upload
from pages.dialogs.items import show_item_actions, show_order_actions
from pages.dialogs.no_order import show_no_order, show_not_found
from pages.dialogs.notes import show_notes
from pages.dialogs.outbox import show_sending_notice
from pages.dialogs.refund_again import show_refund_actions
from pages.dialogs.refund_notices import (
    show_card_notice,
    show_refund_notices,
    show_unmatched_refunds,
)
from pages.dialogs.refund_rule import REFUND_RULE
from pages.dialogs.users import show_user_actions
from pages.dialogs.voucher_check import (
    note_check,
    show_recent_checks,
    show_verdict,
    show_where_codes_are,
)

__all__ = [
    "EMAIL_STATES",
    "REFUND_RULE",
    "keeping_refusal",
    "note_check",
    "show_approval",
    "show_card_notice",
    "show_check",
    "show_contract_actions",
    "show_demo",
    "show_due",
    "show_email_actions",
    "show_email_states",
    "show_end",
    "show_item_actions",
    "show_needs",
    "show_no_order",
    "show_not_found",
    "show_notes",
    "show_order_actions",
    "show_recent_checks",
    "show_recent_imports",
    "show_refund_actions",
    "show_refund_notices",
    "show_refusal",
    "show_running",
    "show_sending_notice",
    "show_unmatched_refunds",
    "show_upload",
    "show_user_actions",
    "show_verdict",
    "show_where_codes_are",
]
