"""The outcome of an import or a check, as numbers and as text."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.tables import BOOKS, SHEETS


@dataclass
class Outcome:
    """What an import changed, by table."""

    added: dict[str, int] = field(default_factory=dict)
    unchanged: dict[str, int] = field(default_factory=dict)
    used: list[str] = field(default_factory=list)  # items that became used
    kept: list[str] = field(default_factory=list)  # items that keep the refund made here
    returned: list[str] = field(default_factory=list)  # items whose refund the bank returned
    was_demo: bool = False

    def in_words(self) -> str:
        """Return the outcome as sentences."""
        lines = counts_in_words(self.added, self.unchanged, len(self.used))
        if self.returned:
            listed = ", ".join(self.returned)
            lines.append(f"The bank returned the refund of these order items: {listed}.")
        if self.kept:
            listed = ", ".join(self.kept)
            lines.append(f"Kept, because the refund made here is newer than the file: {listed}.")
        if self.was_demo:
            lines.append("This database also has sample orders; it is no longer marked as demo.")
        return "\n".join(lines) or "There were no rows to import."


def counts_in_words(added: Mapping[str, int], unchanged: Mapping[str, int], used: int) -> list[str]:
    """Return sentences with the number of rows by table, and of items that became used."""
    lines = []
    for table in SHEETS:
        counts = added.get(table.name, 0), unchanged.get(table.name, 0)
        is_in_files = table in BOOKS or table.name in unchanged
        if is_in_files and any(counts):
            lines.append(f"{table.title}: {counts[0]:,} added, {counts[1]:,} already stored.")
    if used:
        items = "order item is" if used == 1 else "order items are"
        lines.append(f"{used:,} {items} now marked as used.")
    return lines
