"""The invariants of the data model: they hold in every database at every moment."""

from sqlalchemy import text

from core import storage
from core.storage import Refund

# The ledger entries of refunds: money paid back, and money returned by the bank.
OF_REFUNDS = "(t.type = 'refund' OR t.type = 'adjustment' AND t.refund_id IS NOT NULL)"
# Each invariant, and a query that finds what breaks it.
INVARIANTS = {
    "an item has at most one counted refund (Refund.IS_COUNTED)": f"""
        SELECT order_item_id, count(*) FROM refunds WHERE {Refund.IS_COUNTED}
        GROUP BY order_item_id HAVING count(*) > 1""",
    "an item is refunded exactly if it has one succeeded refund": """
        SELECT i.order_item_id, i.status, count(r.refund_id) FROM order_items i
        LEFT JOIN refunds r ON r.order_item_id = i.order_item_id AND r.status = 'succeeded'
        GROUP BY i.order_item_id, i.status
        HAVING count(r.refund_id) <> CASE i.status WHEN 'refunded' THEN 1 ELSE 0 END""",
    "the amount paid back for an item is its price if it is refunded, otherwise zero": f"""
        SELECT i.order_item_id, i.status, i.price_minor, coalesce(sum(t.amount_minor), 0)
        FROM order_items i LEFT JOIN transactions t ON t.order_item_id = i.order_item_id
        AND t.status = 'succeeded' AND {OF_REFUNDS}
        GROUP BY i.order_item_id, i.status, i.price_minor HAVING coalesce(sum(t.amount_minor), 0)
        <> CASE i.status WHEN 'refunded' THEN i.price_minor ELSE 0 END""",
    "the entries of a refund sum to its amount if it succeeded, otherwise to zero": """
        SELECT r.refund_id, r.status, r.amount_minor, coalesce(sum(t.amount_minor), 0)
        FROM refunds r LEFT JOIN transactions t ON t.refund_id = r.refund_id
        AND t.status = 'succeeded'
        GROUP BY r.refund_id, r.status, r.amount_minor HAVING coalesce(sum(t.amount_minor), 0)
        <> CASE r.status WHEN 'succeeded' THEN r.amount_minor ELSE 0 END""",
    "an entry of a refund has its item, amount and currency": """
        SELECT r.refund_id, t.transaction_id FROM refunds r
        JOIN transactions t ON t.refund_id = r.refund_id
        WHERE t.type NOT IN ('refund', 'adjustment') OR t.order_item_id IS NULL
        OR t.order_id IS NULL OR t.order_item_id <> r.order_item_id OR t.order_id <> r.order_id
        OR t.contract_id <> r.contract_id OR t.method <> r.gateway OR t.currency <> r.currency
        OR t.amount_minor <> CASE t.type WHEN 'refund' THEN r.amount_minor
        ELSE -r.amount_minor END""",
    "every refund entry belongs to a refund": """
        SELECT transaction_id FROM transactions WHERE type = 'refund' AND refund_id IS NULL""",
    "a refund that the bank returned has an entry of the return": """
        SELECT r.refund_id FROM refunds r WHERE r.failed_after_success_at IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM transactions t WHERE t.refund_id = r.refund_id
        AND t.type = 'adjustment' AND t.status = 'succeeded')""",
    "only an item whose refund was requested has an open refund, and exactly one": """
        SELECT i.order_item_id, i.status, count(r.refund_id) FROM order_items i
        LEFT JOIN refunds r ON r.order_item_id = i.order_item_id
        AND (r.status IN ('waiting', 'requested', 'processing')
        OR r.status = 'failed' AND r.failed_after_success_at IS NOT NULL)
        GROUP BY i.order_item_id, i.status
        HAVING count(r.refund_id) <> CASE i.status WHEN 'refund_requested' THEN 1 ELSE 0 END""",
    "no two refunds have the same reference at the provider": """
        SELECT external_reference, count(*) FROM refunds WHERE external_reference IS NOT NULL
        GROUP BY external_reference HAVING count(*) > 1""",
    "a contract's balance is the sum of its succeeded balance transactions": """
        SELECT c.contract_id, c.balance_minor, coalesce(sum(t.amount_minor), 0) FROM contracts c
        LEFT JOIN transactions t ON t.contract_id = c.contract_id
        AND t.status = 'succeeded' AND t.method = 'balance'
        GROUP BY c.contract_id, c.balance_minor
        HAVING c.balance_minor <> coalesce(sum(t.amount_minor), 0)""",
    "the paid and not refunded amount of a paid order is the price of its items": f"""
        WITH money AS (
            SELECT order_id, currency, -sum(amount_minor) AS kept FROM transactions t
            WHERE status = 'succeeded' AND (type = 'payment' OR {OF_REFUNDS})
            AND order_id IS NOT NULL GROUP BY order_id, currency
            HAVING sum(CASE type WHEN 'payment' THEN 1 ELSE 0 END) > 0
        ), items AS (
            SELECT order_id, currency, sum(price_minor) AS price FROM order_items
            WHERE status <> 'refunded' GROUP BY order_id, currency
        )
        SELECT m.order_id, m.currency, m.kept, coalesce(i.price, 0) FROM money m
        LEFT JOIN items i ON i.order_id = m.order_id AND i.currency = m.currency
        WHERE m.kept <> coalesce(i.price, 0)""",
    "an order's Total is the number of its items": """
        SELECT o.order_id, o.item_count, count(i.order_item_id) FROM orders o
        LEFT JOIN order_items i ON i.order_id = o.order_id
        GROUP BY o.order_id, o.item_count HAVING count(i.order_item_id) <> o.item_count""",
}


def find_broken() -> dict[str, list[tuple[object, ...]]]:
    """Return the broken invariants with the rows that break them, from one snapshot."""
    with storage.reading() as session:
        found = {one: session.execute(text(query)).all() for one, query in INVARIANTS.items()}
    return {one: [tuple(row) for row in rows] for one, rows in found.items() if rows}


def check_books() -> None:
    """Check every invariant; the error names the broken ones and their rows."""
    for invariant, rows in find_broken().items():
        raise AssertionError(f"Not so: {invariant}. {len(rows)} rows, such as {rows[:3]}")
