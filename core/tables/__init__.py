"""The tables on the screen, each described once: columns, headers, kinds, help texts.

To add a column, add a `Column` to the file of its table. `columns` says what a column can state.
"""

from core.tables.audit_trail import AUDIT_EVENTS
from core.tables.columns import AlsoFinds, Column, Kind, Table
from core.tables.contracts import CONTRACTS
from core.tables.emails import EMAILS
from core.tables.notes import NOTES
from core.tables.order_items import ORDER_ITEMS
from core.tables.orders import FOLLOW_UPS, ORDERS
from core.tables.refunds import REFUND_PREFIX, REFUNDS, TO_APPROVE
from core.tables.related import AnyOf, Via
from core.tables.transactions import TRANSACTIONS
from core.tables.users import USERS

BOOKS = (ORDERS, ORDER_ITEMS, TRANSACTIONS, NOTES)  # what a business has before Order Desk
# The sheets of a dump, which an import reads. Refunds only adds to what transactions say.
SHEETS = (*BOOKS, REFUNDS)
# Others may have sheets of these titles: one without any of our headers is not ours.
USUAL_TITLES = (NOTES, REFUNDS)
TABLES = {table.name: table for table in (*BOOKS, EMAILS, REFUNDS, USERS, CONTRACTS, AUDIT_EVENTS)}
# The URL parameter of each table on the page of an order.
ORDER_TABS = {
    "order_items": "products",
    "transactions": "transactions",
    "refunds": "refunds",
    "emails": "emails",
    "audit_trail": "history",
}

__all__ = [
    "AUDIT_EVENTS",
    "BOOKS",
    "CONTRACTS",
    "EMAILS",
    "FOLLOW_UPS",
    "NOTES",
    "ORDERS",
    "ORDER_ITEMS",
    "ORDER_TABS",
    "REFUNDS",
    "REFUND_PREFIX",
    "SHEETS",
    "TABLES",
    "TO_APPROVE",
    "TRANSACTIONS",
    "USERS",
    "USUAL_TITLES",
    "AlsoFinds",
    "AnyOf",
    "Column",
    "Kind",
    "Table",
    "Via",
]
