"""What an answer, a page's run and a page in the browser may cost, whatever the machine.

Seconds depend on the machine and on who else uses it, so `make bench` compares them. What is here
is the same on every machine: statements, rows that a plan reads, bytes and requests. Each function
returns the faults that it finds, so that a test can also show that it finds them.
"""

import re
from collections.abc import Mapping

# Statements of an answer. On SQLite one more begins the transaction; on PostgreSQL the driver
# sends it with the first one.
ANSWERS = {
    "plain rows": 2,
    "plain count": 1,
    "plain figures": 1,
    "plain totals": 1,
    "plain choices": 1,
    "filtered rows": 3,
    "filtered count": 1,
    "filtered figures": 2,
    "filtered totals": 1,
    "filtered choices": 1,
}
BEGINS = 1
GROWTH = 1.3  # of the work of an answer, while the table grows tenfold


def faults_of_answers(counted: Mapping[str, int], *, is_sqlite: bool) -> list[str]:
    """Compare the statements of answers with their budgets."""
    more = BEGINS if is_sqlite else 0
    return [
        f"{name}: {count} statements, at most {ANSWERS[name] + more} are allowed"
        for name, count in counted.items()
        if count > ANSWERS[name] + more
    ]


def faults_of_growth(small: Mapping[str, int], large: Mapping[str, int]) -> list[str]:
    """Compare the steps of answers from a small table with those from one ten times as large."""
    return [
        f"{name}: {large[name]:,} steps instead of {steps:,}"
        for name, steps in small.items()
        if large[name] > steps * GROWTH
    ]


def faults_of_totals(plan: str, table: str) -> list[str]:
    """Find what keeps a plan from adding up amounts from an index alone."""
    index = f"ix_{table}_currency"
    is_alone = re.search(rf"COVERING INDEX {index}|Index Only Scan.* {index}", plan)
    return [] if is_alone else [f"totals read more than {index}: {plan}"]
