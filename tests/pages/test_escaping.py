"""Wherever Streamlit reads Markdown, data is escaped by plain(…): checked in the source."""

import ast
from collections.abc import Iterator
from pathlib import Path

PAGES = Path(__file__).resolve().parents[2] / "pages"
NOT_MARKDOWN = {"key", "format_func", "icon", "url"}
NOT_WORDS = {"iframe", "html", "code", "text", "form"}
# Our own words in sentences, by file.
OWN_WORDS = {
    ("approval.py", "does"),
    ("approval.py", "done"),
    ("approval.py", "icon"),
    ("approval.py", "then"),
    ("approval.py", "then * bool(theirs)"),
    ("approval.py", "verb"),
    ("approval.py", "words"),
    ("contracts.py", "contract.currency"),  # an ISO code, checked at import
    ("downloads.py", "LABEL"),
    ("due.py", "table.name"),
    ("explained.py", "also.question"),
    ("explained.py", "more"),
    ("strip.py", "_zones_in_words(view)"),
    ("demo.py", "choice.button"),
    ("demo.py", "choice.outcome"),
    ("downloads.py", "label"),
    ("downloads.py", "name"),  # of a kind of file
    ("refund_rule.py", "words"),  # reasons of the rule, which name no row
    ("emails.py", "words"),  # our icon and word for a state
    ("figures.py", "days_of(found.before.period)"),  # digits
    # Digits and one of the IANA zones.
    ("figures.py", "in_zone(found.as_of, str(overview.report_zone()), seconds=True)"),
    ("frame.py", "show_controls(title)"),  # of the browser's tab, which is text
    ("frame.py", "get_settings().app_name"),
    ("frame.py", "reference"),  # hexadecimal digits of our own
    ("import_run.py", "_in_excel(run)"),
    ("import_run.py", "doing"),
    ("preview.py", "icon"),
    ("question.py", "overview.report_zone()"),  # one of the IANA zones
    ("note.py", "_when(note.withdrawn_at)"),  # digits and one of the IANA zones
    ("note.py", "_when(note.done_at)"),
    ("note.py", "day"),  # digits and the name of a month
    ("note.py", "day_in_words(on)"),
    ("note.py", "who"),  # escaped where it is made
    ("opener.py", "state.place.table.one"),
    ("plots.py", "note"),  # escaped where it is made
    ("refund_results.py", "icon"),
    ("refund_results.py", "result.lower()"),
    ("sharing.py", "WILL_READ"),
    ("sharing.py", "NO_HARM"),
    ("sign_in.py", "word_of(actor.role)"),
    ("sign_in.py", "_scope(actor)"),  # words of our own, and how many contracts
    ("strip.py", "_count_in_words(table, count, total)"),  # numbers and our words
    ("strip.py", "times"),  # one of the IANA zones
    ("table.py", "answer"),  # a whole number
    ("table.py", "state.revision"),  # a whole number
    ("strip.py", "', '.join(hidden)"),  # headers of our columns
    ("strip.py", "hidden if seen < len(selected) else ''"),  # a number and words
    ("tools.py", "state.place.table.many"),
    ("timeline.py", "chosen"),  # one of our subjects
    ("timeline.py", "local"),  # digits
    ("tools.py", "named"),
}
COUNTS = {"count_items", "_mails", "len"}


def _spoken() -> Iterator[tuple[str, int, ast.FormattedValue]]:
    """Yield the values that are formatted into the texts of every st.… call."""
    for path in sorted(PAGES.rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text())):
            if not isinstance(call, ast.Call) or not ast.unparse(call.func).startswith("st."):
                continue
            kind = ast.unparse(call.func).removeprefix("st.")
            if kind in NOT_WORDS or kind.startswith("session_state"):
                continue
            words = call.args[:1] + [k.value for k in call.keywords if k.arg not in NOT_MARKDOWN]
            for word in words:
                yield from ((path.name, call.lineno, one) for one in _formatted(word))


def _formatted(node: ast.AST) -> Iterator[ast.FormattedValue]:
    """Yield the values in the f-strings of an expression, except inside plain(…)."""
    if _is_call_of(node, {"plain", "_address", "_workbook"}):
        return
    if isinstance(node, ast.FormattedValue):
        yield node
    for child in ast.iter_child_nodes(node):
        yield from _formatted(child)


def _is_call_of(node: ast.AST, names: set[str]) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names


def _is_harmless(file: str, one: ast.FormattedValue) -> bool:
    is_number = one.format_spec is not None and "," in ast.unparse(one.format_spec)
    is_plural = ast.unparse(one.value).startswith("'s' * ")
    is_ours = (file, ast.unparse(one.value)) in OWN_WORDS
    return is_number or is_plural or is_ours or _is_call_of(one.value, COUNTS | {"plain"})


def test_no_sentence_of_a_page_holds_data_that_could_be_markdown() -> None:
    found = [
        f"{file}:{line}: {ast.unparse(one.value)}"
        for file, line, one in _spoken()
        if not _is_harmless(file, one)
    ]
    assert found == []


def test_no_page_or_rule_loads_pickles_runs_a_shell_or_writes_data_as_html() -> None:
    banned = ("pickle", "shell=True", "unsafe_allow_html", "innerHTML", "os.system", "eval(")
    sources = [path for folder in (PAGES, PAGES.parent / "core") for path in folder.rglob("*.*")]
    found = [
        f"{path.name}: {word}"
        for path in sources
        if path.suffix in (".py", ".js")
        for word in banned
        if word in path.read_text()
    ]
    assert found == []
