"""Actions on order items: those that are selected, or those of the selected orders."""

from core.access import Actor, may
from core.ground import Permission
from pages.dialogs.download import show_download, show_download_dialog
from pages.dialogs.refund import show_refund
from pages.dialogs.selection import ITEMS, ORDERS
from pages.dialogs.send import show_send
from pages.grid import GridState


def show_item_actions(state: GridState, *, actor: Actor) -> None:
    """Draw what the actor may do with the selected order items."""
    if may(actor, Permission.REFUND):
        show_refund(state, ITEMS, actor=actor)
    if may(actor, Permission.VOUCHERS):
        show_download(state, actor=actor)
        show_send(state, ITEMS, actor=actor)


def show_order_actions(state: GridState, *, actor: Actor) -> None:
    """Draw what the actor may do with the items of the selected orders."""
    if may(actor, Permission.REFUND):
        show_refund(state, ORDERS, actor=actor)
    if may(actor, Permission.VOUCHERS):
        show_download_dialog(state, ORDERS, actor=actor)
        show_send(state, ORDERS, actor=actor)
