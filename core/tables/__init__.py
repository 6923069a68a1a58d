"""The tables as people see them, each described once: columns, headers, kinds, help."""

from core.tables.audit_trail import AUDIT_EVENTS, USERS
from core.tables.columns import Column, Kind, Table, in_words
from core.tables.emails import EMAILS
from core.tables.orders import BOOKS, ORDER_ITEMS, ORDER_TABS, ORDERS, TABLES, TRANSACTIONS

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
    "Column",
    "Kind",
    "Table",
    "in_words",
]
