"""What an answer, a page's run and a page in the browser may cost, whatever the machine.

Seconds depend on the machine and on who else uses it, so `make bench` compares them. What is here
is the same on every machine: statements, rows that a plan reads, bytes and requests. Each function
returns the faults that it finds, so that a test can also show that it finds them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# Statements of an answer. A search of orders looks up their items and their notes as well.
ANSWERS = {
    "plain rows": 2,
    "plain beside": 3,
    "plain count": 1,
    "plain figures": 1,
    "plain totals": 1,
    "plain choices": 1,
    "filtered rows": 3,
    "filtered beside": 5,
    "filtered count": 1,
    "filtered figures": 2,
    "filtered totals": 1,
    "filtered choices": 1,
    "searched rows": 6,
    "searched beside": 11,
    "searched count": 5,
    "searched figures": 6,
    "searched totals": 5,
    "searched choices": 5,
}
# Statements of a refund request: of one item that is granted, and of one that is refused.
REFUNDS = {"granted": 8, "refused": 3}
# Statements of a page's first run, and of a run in which nothing has changed. The first counts what
# waits for the person; Orders and Order Items look for card payments that cannot be refunded,
# Refunds for what is to be matched, and Overview adds up reasons.
RUNS = {
    "orders": (10, 4),
    "order_items": (10, 4),
    "transactions": (9, 4),
    "refunds": (10, 5),
    "overview": (16, 15),
}
# Bytes that an answer of 200 rows with all columns holds at its peak, for each row.
MEMORY = {"orders": 2_350, "order_items": 4_400, "transactions": 2_050, "refunds": 2_750}
GROWTH = 1.3  # of the work of an answer, while the table grows tenfold


def faults_of_answers(counted: Mapping[str, int]) -> list[str]:
    """Compare the statements of answers with their budgets."""
    return [
        f"{name}: {count} statements, at most {ANSWERS[name]} are allowed"
        for name, count in counted.items()
        if count > ANSWERS[name]
    ]


def faults_of_refunds(counted: Mapping[str, int]) -> list[str]:
    """Compare the statements of refund requests with their budgets."""
    return [
        f"{name}: {count} statements, at most {REFUNDS[name]} are allowed"
        for name, count in counted.items()
        if count > REFUNDS[name]
    ]


def faults_of_runs(page: str, *counted: int) -> list[str]:
    """Compare the statements of a page's first and second run with their budgets."""
    named = zip(("first", "second"), counted, RUNS[page], strict=True)
    return [
        f"{run} run of {page}: {count} statements, at most {most} are allowed"
        for run, count, most in named
        if count > most
    ]


def faults_of_memory(table: str, bytes_a_row: float) -> list[str]:
    """Compare the memory that an answer holds with its budget."""
    most = MEMORY[table]
    is_over = bytes_a_row > most
    return [f"{table}: {bytes_a_row:,.0f} bytes a row, at most {most:,}"] if is_over else []


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


@dataclass(frozen=True)
class Sent:
    """What a step in the browser took from the server: answers of its cache do not count."""

    sizes: Mapping[str, Sequence[int]]  # bytes of each answer with its headers, by address
    messages: int = 0  # of the browser to Streamlit: each makes the page run

    @property
    def bytes(self) -> int:
        return sum(map(sum, self.sizes.values()))

    @property
    def requests(self) -> int:
        return sum(map(len, self.sizes.values()))


@dataclass(frozen=True)
class Most:
    """The most that a step may take."""

    bytes: int
    requests: int
    messages: int = 1


# The first visit of a page may load a font for its names, or the scripts of its plots.
FIRST_OPEN = Most(1_830_000, 104)
NEW_PAGES = {
    "Order Items": Most(160_000, 10),
    "Transactions": Most(15_000, 7),
    "Refunds": Most(20_000, 7),
    "Overview": Most(420_000, 38),
    "Orders": Most(15_000, 7),
}
KNOWN_PAGES = {
    "Order Items": Most(30_000, 10),
    "Transactions": Most(15_000, 7),
    "Refunds": Most(20_000, 7),
    "Overview": Most(2_000, 1),
    "Orders": Most(15_000, 7),
}
WARM_OPEN = Most(28_000, 11)


def faults_of_step(step: str, sent: Sent, most: Most) -> list[str]:
    """Compare what a step took with its budget; name the largest answers."""
    if (
        sent.bytes <= most.bytes
        and sent.requests <= most.requests
        and sent.messages <= most.messages
    ):
        return []
    by_size = sorted(((sum(sizes), name) for name, sizes in sent.sizes.items()), reverse=True)
    largest = ", ".join(f"{name} {size:,}" for size, name in by_size[:5])
    return [
        f"{step}: {sent.bytes:,} bytes in {sent.requests} requests, and {sent.messages} messages; "
        f"at most {most} are allowed. The largest: {largest}"
    ]
