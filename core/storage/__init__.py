"""The database: its models, transactions, schema and bulk copies, on SQLite and PostgreSQL."""

from core.storage.bulk import bulk_insert, bulk_read, stored_names, without_indexes
from core.storage.cancel import CancelToken, QueryCancelled
from core.storage.dialect import insert
from core.storage.engine import (
    EXPLAIN,
    create_database_engine,
    create_missing_file,
    get_engine,
    is_sqlite,
)
from core.storage.facts import DEMO, delete_fact, get_fact, put_fact
from core.storage.models.audit import AuditEvent, DatabaseFact
from core.storage.models.expressions import (
    has_refundable_item,
    has_returned_refund,
    has_unmatched_refund,
    is_refundable_now,
    is_unmatched,
    status,
    status_in_order,
)
from core.storage.models.figures import (
    DAILY_FIGURES,
    DERIVED,
    FIGURE_CHANGES,
    FIGURES_MADE,
    Channel,
    Day,
    Dimension,
    Span,
)
from core.storage.models.mail import Delivery, DeliveryItem, DeliveryRequest
from core.storage.models.orders import MAY_BE_REFUNDED, Contract, Order, OrderItem
from core.storage.models.people import SignIn, User, UserContract
from core.storage.models.refunds import ProviderRefund, Refund, RefundBatch, Transaction
from core.storage.models.views import SavedView
from core.storage.schema import has_tables, is_blank, known_versions, migrate, recreate_schema
from core.storage.transactions import is_reachable, reading, rebuilding, writing
from core.storage.types import Base, Instant, in_common_units, new_id

__all__ = [
    "DAILY_FIGURES",
    "DEMO",
    "DERIVED",
    "EXPLAIN",
    "FIGURES_MADE",
    "FIGURE_CHANGES",
    "MAY_BE_REFUNDED",
    "AuditEvent",
    "Base",
    "CancelToken",
    "Channel",
    "Contract",
    "DatabaseFact",
    "Day",
    "Delivery",
    "DeliveryItem",
    "DeliveryRequest",
    "Dimension",
    "Instant",
    "Order",
    "OrderItem",
    "ProviderRefund",
    "QueryCancelled",
    "Refund",
    "RefundBatch",
    "SavedView",
    "SignIn",
    "Span",
    "Transaction",
    "User",
    "UserContract",
    "bulk_insert",
    "bulk_read",
    "create_database_engine",
    "create_missing_file",
    "delete_fact",
    "get_engine",
    "get_fact",
    "has_refundable_item",
    "has_returned_refund",
    "has_tables",
    "has_unmatched_refund",
    "in_common_units",
    "insert",
    "is_blank",
    "is_reachable",
    "is_refundable_now",
    "is_sqlite",
    "is_unmatched",
    "known_versions",
    "migrate",
    "new_id",
    "put_fact",
    "reading",
    "rebuilding",
    "recreate_schema",
    "status",
    "status_in_order",
    "stored_names",
    "without_indexes",
    "writing",
]
