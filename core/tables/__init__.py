"""The tables on the screen, each described once: columns, headers, kinds, help texts.

To add a column, add a `Column` to the file of its table. `columns` says what a column can state.
"""

from core.tables.audit_trail import AUDIT_EVENTS
from core.tables.columns import AlsoFinds, Column, Kind, Table
from core.tables.emails import EMAILS
from core.tables.order_items import ORDER_ITEMS
from core.tables.orders import ORDERS
from core.tables.transactions import TRANSACTIONS
from core.tables.users import USERS

BOOKS = (ORDERS, ORDER_ITEMS, TRANSACTIONS)  # the tables that are imported and dumped
TABLES = {table.name: table for table in (*BOOKS, EMAILS, USERS, AUDIT_EVENTS)}
# The URL parameter of each table on the page of an order.
ORDER_TABS = {
    "order_items": "products",
    "transactions": "transactions",
    "emails": "emails",
    "audit_trail": "history",
}

__all__ = [
    "AUDIT_EVENTS",
    "BOOKS",
    "EMAILS",
    "ORDERS",
    "ORDER_ITEMS",
    "ORDER_TABS",
    "TABLES",
    "TRANSACTIONS",
    "USERS",
    "AlsoFinds",
    "Column",
    "Kind",
    "Table",
]
