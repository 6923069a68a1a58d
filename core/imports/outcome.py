"""What an import did, or would do, in numbers and in words."""

from dataclasses import dataclass, field

from core.tables import BOOKS


@dataclass
class Outcome:
    """What an import did, by table."""

    added: dict[str, int] = field(default_factory=dict)
    unchanged: dict[str, int] = field(default_factory=dict)
    used: list[str] = field(default_factory=list)  # items that are now used
    kept: list[str] = field(default_factory=list)  # items whose refund made here stays
    returned: list[str] = field(default_factory=list)  # items whose refund here came back
    was_demo: bool = False

    def in_words(self) -> str:
        """Say it to a person."""
        lines = []
        for table in BOOKS:
            added, unchanged = self.added.get(table.name, 0), self.unchanged.get(table.name, 0)
            if added or unchanged:
                lines.append(f"{table.title}: {added:,} added, {unchanged:,} were there unchanged.")
        if self.used:
            lines.append(f"{len(self.used):,} order items are now used.")
        if self.returned:
            listed = ", ".join(self.returned)
            lines.append(f"The bank returned the refund of these order items: {listed}.")
        if self.kept:
            listed = ", ".join(self.kept)
            lines.append(f"Kept, since the refund made here is newer than the file: {listed}.")
        if self.was_demo:
            lines.append("This database also holds demo orders; it is no longer marked as demo.")
        return "\n".join(lines) or "There were no rows to import."
