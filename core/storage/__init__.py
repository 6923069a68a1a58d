"""The database: its models, transactions, schema and bulk copies, on SQLite and PostgreSQL."""

from core.storage.bulk import bulk_insert, bulk_read, loading, stored_names
from core.storage.cancel import CancelToken, QueryCancelled
from core.storage.dialect import (
    identity_of,
    insert,
    is_any_of,
    like_compares,
    lock_key_of,
    lock_rows,
    lock_tables,
    next_numbers,
    scanning_in_order,
    seconds_of,
    stores_nul,
    take_lock,
    with_shared_lock,
)
from core.storage.engine import (
    create_database_engine,
    create_missing_file,
    get_engine,
    is_sqlite,
)
from core.storage.facts import DEMO, delete_fact, get_fact, put_fact
from core.storage.gathered import Gathered, gather, is_among_gathered, no_rows, rows_of
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
from core.storage.trigrams import Sought, can_look_up, is_estimated_above, look_up, search_indexes
from core.storage.types import Base, Instant, in_common_units, new_id
from core.storage.written import folded, sorted_by

__all__ = [
    "DAILY_FIGURES",
    "DEMO",
    "DERIVED",
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
    "Gathered",
    "Instant",
    "Order",
    "OrderItem",
    "ProviderRefund",
    "QueryCancelled",
    "Refund",
    "RefundBatch",
    "SavedView",
    "SignIn",
    "Sought",
    "Span",
    "Transaction",
    "User",
    "UserContract",
    "bulk_insert",
    "bulk_read",
    "can_look_up",
    "create_database_engine",
    "create_missing_file",
    "delete_fact",
    "folded",
    "gather",
    "get_engine",
    "get_fact",
    "has_refundable_item",
    "has_returned_refund",
    "has_tables",
    "has_unmatched_refund",
    "identity_of",
    "in_common_units",
    "insert",
    "is_among_gathered",
    "is_any_of",
    "is_blank",
    "is_estimated_above",
    "is_reachable",
    "is_refundable_now",
    "is_sqlite",
    "is_unmatched",
    "known_versions",
    "like_compares",
    "loading",
    "lock_key_of",
    "lock_rows",
    "lock_tables",
    "look_up",
    "migrate",
    "new_id",
    "next_numbers",
    "no_rows",
    "put_fact",
    "reading",
    "rebuilding",
    "recreate_schema",
    "rows_of",
    "scanning_in_order",
    "search_indexes",
    "seconds_of",
    "sorted_by",
    "status",
    "status_in_order",
    "stored_names",
    "stores_nul",
    "take_lock",
    "with_shared_lock",
    "writing",
]
