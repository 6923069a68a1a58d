"""Actions on the selected refunds: approve or decline, and request those that failed again."""

from core.access import Actor, may
from core.ground import Permission
from pages.dialogs.approval import show_approval
from pages.dialogs.refund import show_refund
from pages.dialogs.selection import REFUNDS
from pages.grid import GridState


def show_refund_actions(state: GridState, *, actor: Actor) -> None:
    """Draw what the actor may do with the selected refunds; the same rule refunds items again."""
    show_approval(state, actor=actor)
    if may(actor, Permission.REFUND):
        show_refund(state, REFUNDS, actor=actor)
