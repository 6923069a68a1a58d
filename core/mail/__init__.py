"""E-mails: write them (compose), queue them (queue), send them (deliver)."""

from core.mail.compose.addresses import split_addresses
from core.mail.compose.body import MAX_MESSAGE
from core.mail.compose.contents import configured_channel
from core.mail.deliver.delivery import configured_transport, deliver_due
from core.mail.deliver.expiry import delete_expired
from core.mail.deliver.outbox import OUTBOX_FOLDER
from core.mail.deliver.records import Pause, get_pause
from core.mail.queue.assessment import (
    Assessment,
    Envelope,
    To,
    assess,
    find_contacts,
    find_void_notices,
)
from core.mail.queue.colleagues import queue_decisions, queue_mentions
from core.mail.queue.previews import (
    DeliveryDetails,
    Preview,
    count_open,
    find_items,
    get_delivery,
    get_states,
    preview_draft,
    write_message,
)
from core.mail.queue.requests import Answer, queueing
from core.mail.queue.submission import notify_void, resend, send
from core.mail.states import STATE_TEXTS

__all__ = [
    "MAX_MESSAGE",
    "OUTBOX_FOLDER",
    "STATE_TEXTS",
    "Answer",
    "Assessment",
    "DeliveryDetails",
    "Envelope",
    "Pause",
    "Preview",
    "To",
    "assess",
    "configured_channel",
    "configured_transport",
    "count_open",
    "delete_expired",
    "deliver_due",
    "find_contacts",
    "find_items",
    "find_void_notices",
    "get_delivery",
    "get_pause",
    "get_states",
    "notify_void",
    "preview_draft",
    "queue_decisions",
    "queue_mentions",
    "queueing",
    "resend",
    "send",
    "split_addresses",
    "write_message",
]
