"""Say that e-mails reach nobody as long as no mail server is set up."""

from core.ground import Channel, get_settings
from core.mail import OUTBOX_FOLDER, configured_channel


def outbox_notice() -> str:
    """Return the notice; with a mail server, return an empty text."""
    if configured_channel() is not Channel.OUTBOX:
        return ""
    folder = get_settings().data_dir / OUTBOX_FOLDER
    return (
        "No mail server is set up, so e-mails are only saved in the outbox on disk: "
        f"{folder}. Nobody receives them."
    )
