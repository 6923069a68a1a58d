"""What an answer, a page's run and a page in the browser may cost, whatever the machine.

Seconds depend on the machine and on who else uses it, so `make bench` compares them. What is here
is the same on every machine: statements, rows that a plan reads, bytes and requests. Each function
returns the faults that it finds, so that a test can also show that it finds them.
"""

import re
from collections.abc import Mapping

# Statements of an answer.
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
# Statements of a page's first run, and of a run in which nothing has changed.
RUNS = {
    "orders": (10, 6),
    "order_items": (10, 6),
    "transactions": (10, 6),
    "overview": (16, 16),
}
GROWTH = 1.3  # of the work of an answer, while the table grows tenfold


def faults_of_answers(counted: Mapping[str, int]) -> list[str]:
    """Compare the statements of answers with their budgets."""
    return [
        f"{name}: {count} statements, at most {ANSWERS[name]} are allowed"
        for name, count in counted.items()
        if count > ANSWERS[name]
    ]


def faults_of_runs(page: str, *counted: int) -> list[str]:
    """Compare the statements of a page's first and second run with their budgets."""
    named = zip(("first", "second"), counted, RUNS[page], strict=True)
    return [
        f"{run} run of {page}: {count} statements, at most {most} are allowed"
        for run, count, most in named
        if count > most
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
