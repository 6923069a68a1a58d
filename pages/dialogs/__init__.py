"""Actions and their dialogs: refund, vouchers, e-mails, users, imports, demo data."""

from pages.dialogs.demo import show_demo
from pages.dialogs.emails import show_email_actions
from pages.dialogs.import_check import show_check
from pages.dialogs.import_run import show_end, show_running
from pages.dialogs.import_upload import keeping_refusal, show_refusal, show_upload
from pages.dialogs.items import show_item_actions, show_order_actions
from pages.dialogs.outbox import outbox_notice
from pages.dialogs.preview import show_pause
from pages.dialogs.refund_notices import show_refund_notices
from pages.dialogs.users import show_user_actions

__all__ = [
    "keeping_refusal",
    "outbox_notice",
    "show_check",
    "show_demo",
    "show_email_actions",
    "show_end",
    "show_item_actions",
    "show_order_actions",
    "show_pause",
    "show_refund_notices",
    "show_refusal",
    "show_running",
    "show_upload",
    "show_user_actions",
]
