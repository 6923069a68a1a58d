"""The invariants of the data model: whatever happened, these hold of every database."""

from sqlalchemy import text

from core import db

# What must be so, and the query for what would break it.
INVARIANTS = {
    "an item has at most one refund that counts": """
        SELECT order_item_id, count(*) FROM refunds
        WHERE status NOT IN ('failed', 'declined') OR failed_after_success_at IS NOT NULL
        GROUP BY order_item_id HAVING count(*) > 1""",
    "an item is refunded when it has exactly one succeeded refund, and only then": """
        SELECT i.order_item_id, i.status, count(r.refund_id) FROM order_items i
        LEFT JOIN refunds r ON r.order_item_id = i.order_item_id AND r.status = 'succeeded'
        GROUP BY i.order_item_id, i.status
        HAVING count(r.refund_id) <> CASE i.status WHEN 'refunded' THEN 1 ELSE 0 END""",
    "a refund's entries come to its amount while it is succeeded, and else to nothing": """
        SELECT r.refund_id, r.status, coalesce(sum(t.amount_minor), 0) FROM refunds r
        LEFT JOIN transactions t ON t.refund_id = r.refund_id AND t.status = 'succeeded'
        GROUP BY r.refund_id, r.status, r.amount_minor
        HAVING coalesce(sum(t.amount_minor), 0)
        <> CASE r.status WHEN 'succeeded' THEN r.amount_minor ELSE 0 END""",
    "a succeeded refund transaction is of a refund": """
        SELECT transaction_id FROM transactions
        WHERE type = 'refund' AND status = 'succeeded' AND refund_id IS NULL""",
    "a refund's entry is of its item, amount and currency": """
        SELECT r.refund_id, t.transaction_id FROM refunds r
        JOIN transactions t ON t.refund_id = r.refund_id
        WHERE t.type NOT IN ('refund', 'adjustment') OR t.order_item_id IS NULL
        OR t.order_id IS NULL OR t.order_item_id <> r.order_item_id OR t.order_id <> r.order_id
        OR t.contract_id <> r.contract_id OR t.method <> r.gateway OR t.currency <> r.currency
        OR t.amount_minor <> CASE t.type WHEN 'refund' THEN r.amount_minor ELSE -r.amount_minor END
        OR (t.type = 'adjustment' AND t.status <> 'succeeded')""",
    "an item is in a refund when it has exactly one that is open or returned, and only then": """
        SELECT i.order_item_id, i.status, count(r.refund_id) FROM order_items i
        LEFT JOIN refunds r ON r.order_item_id = i.order_item_id
        AND (r.status IN ('waiting', 'requested', 'processing')
        OR (r.status = 'failed' AND r.failed_after_success_at IS NOT NULL))
        GROUP BY i.order_item_id, i.status
        HAVING count(r.refund_id) <> CASE i.status WHEN 'refund_requested' THEN 1 ELSE 0 END""",
    "a contract's balance is the sum of its succeeded transactions by balance": """
        SELECT c.contract_id, c.balance_minor, coalesce(sum(t.amount_minor), 0) FROM contracts c
        LEFT JOIN transactions t ON t.contract_id = c.contract_id
        AND t.status = 'succeeded' AND t.method = 'balance'
        GROUP BY c.contract_id, c.balance_minor
        HAVING c.balance_minor <> coalesce(sum(t.amount_minor), 0)""",
    "of an order that was paid, what is paid and not refunded is the price of its items": """
        WITH money AS (
            SELECT order_id, currency, -sum(amount_minor) AS kept FROM transactions
            WHERE status = 'succeeded' AND order_id IS NOT NULL
            AND (type IN ('payment', 'refund') OR (type = 'adjustment' AND refund_id IS NOT NULL))
            GROUP BY order_id, currency HAVING sum(CASE type WHEN 'payment' THEN 1 ELSE 0 END) > 0
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


def check_books() -> None:
    """Check every invariant, all at the same moment; says which is broken, and by what."""
    with db.reading() as session:
        for invariant, statement in INVARIANTS.items():
            broken = [tuple(row) for row in session.execute(text(statement))]
            assert not broken, f"Not so: {invariant}. {len(broken)} rows, such as {broken[:3]}"
