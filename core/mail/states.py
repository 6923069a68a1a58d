"""What the states of an e-mail mean, in words."""

from core.ground import DeliveryStatus

STATE_TEXTS = {
    DeliveryStatus.QUEUED: "It waits to be sent, usually for seconds. After a failed attempt it "
    "waits longer: *Next Attempt*, behind *Columns*, says until when.",
    DeliveryStatus.SENDING: "It is being handed to the mail server.",
    DeliveryStatus.SENT: "The mail server accepted it. If the recipient's server refuses it later, "
    "the sender's mailbox gets a message. Without a mail server, it was saved in the outbox on "
    "disk.",
    DeliveryStatus.FAILED: "It was not sent, and there is no further attempt. *Error* says why. "
    "Select it and click *Resend* to send it again.",
    DeliveryStatus.CANCELLED: "It was not sent, because none of its vouchers was valid any more, "
    "for example after a refund. *Error* names them.",
}
