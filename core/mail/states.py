"""What the states of an e-mail mean, in words; and until when its text is kept."""

from datetime import datetime, timedelta

from core.ground import DeliveryState, get_settings

STATE_TEXTS = {
    DeliveryState.QUEUED: "It waits to be sent, usually for seconds. After a failed attempt it "
    "waits longer: *Next Attempt*, behind *Columns*, says until when.",
    DeliveryState.SENDING: "It is being handed to the mail server.",
    DeliveryState.SENT: "The mail server accepted it. If the recipient's server refuses it later, "
    "the sender's mailbox gets a message.",
    DeliveryState.SAVED: "No mail server is set up, so it was saved to the outbox on disk and did "
    "not leave this machine.",
    DeliveryState.FAILED: "It was not sent, and there is no further attempt. *Error* says why. "
    "Select it and click *Resend* to send it again.",
    DeliveryState.CANCELLED: "It was not sent, because none of its vouchers was valid any more, "
    "for example after a refund. *Error* names them.",
}


def texts_kept_since(now: datetime) -> datetime | None:
    """Return since when e-mails keep their sender's own text; None if they all do."""
    days = get_settings().mail_text_days
    return None if days is None else now - timedelta(days=days)
