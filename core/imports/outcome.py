"""The outcome of an import or a check, as numbers and as text."""

from dataclasses import dataclass, field

from core.tables import BOOKS


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
        lines = []
        for table in BOOKS:
            added, unchanged = self.added.get(table.name, 0), self.unchanged.get(table.name, 0)
            if added or unchanged:
                lines.append(f"{table.title}: {added:,} added, {unchanged:,} already stored.")
        if self.used:
            lines.append(f"{len(self.used):,} order items are now marked as used.")
        if self.returned:
            listed = ", ".join(self.returned)
            lines.append(f"The bank returned the refund of these order items: {listed}.")
        if self.kept:
            listed = ", ".join(self.kept)
            lines.append(f"Kept, because the refund made here is newer than the file: {listed}.")
        if self.was_demo:
            lines.append("This database also has sample orders; it is no longer marked as demo.")
        return "\n".join(lines) or "There were no rows to import."
