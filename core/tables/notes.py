"""The table of notes: in an order's workbook, in a dump and its import, and in the search."""

from core.storage import Note
from core.tables.columns import CONTRACT, NO, Column, Kind, Table
from core.tables.ready_made import recent

# One line for what a column is, and one for its options; ruff would put each argument on its own.
# fmt: off
NOTES = Table(
    name="notes",
    title="Notes",
    one="note",
    many="notes",
    model=Note,
    key="note_id",
    ready_made=recent(),
    columns=(
        NO,
        Column(
            "note_id", "Note ID", Kind.CODE, "The ID of the note.",
            is_shown=True, is_required=True, is_reference=True, width=190
        ),
        Column(
            "order_id", "Order ID", Kind.CODE, "The order that the note is about.",
            is_shown=True, is_shown_in_order=False, is_required=True, is_reference=True,
            opens_order=True, width=140
        ),
        Column(
            "created_at", "Created Date", Kind.INSTANT, "When the note was written.",
            is_shown=True, is_required=True, width=145
        ),
        Column(
            "author", "Author", Kind.TEXT, "Who wrote the note.",
            is_shown=True, is_required=True, width=240
        ),
        Column(
            "text", "Note", Kind.TEXT, "The text, at most 2,000 characters.",
            if_blank="If not given: the note was withdrawn.",
            is_shown=True, width=420
        ),
        Column(
            "follow_up_on", "Follow Up Date", Kind.DATE, "The day of the follow-up.",
            is_shown=True, looks_ahead=True, width=120
        ),
        Column(
            "follow_up_by", "Follow Up By", Kind.CODE,
            "The e-mail address of the user who follows up; needed with Follow Up Date.",
            is_shown=True, width=200
        ),
        Column(
            "done_at", "Done At", Kind.INSTANT, "When the follow-up was done.",
            is_shown=True, width=145
        ),
        Column(
            "done_by", "Done By", Kind.CODE, "Who closed the follow-up.",
            is_shown=True, width=200
        ),
        Column(
            "withdrawn_at", "Withdrawn At", Kind.INSTANT,
            "When the note was withdrawn, which erased its text.",
            is_shown=True, width=145
        ),
        Column(
            "withdrawn_by", "Withdrawn By", Kind.CODE, "Who withdrew the note.",
            is_shown=True, width=200
        ),
        Column(
            "contract_id", "Contract ID", Kind.CODE, "The contract of the order.",
            if_blank="If not given: the order's contract.",
            has_choices=True, is_offered=True, width=128
        ),
        CONTRACT,
    ),
)
