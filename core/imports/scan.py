"""What the reader of workbooks does not say of a sheet, read from its XML.

These are its size, cells that the reader returns as empty although they are not, number formats
that show something else than the number, and what is hidden.
"""

import zipfile
from dataclasses import dataclass, field
from xml.etree import ElementTree
from xml.parsers import expat

from core.ground import InvalidInput
from core.imports.formats import BUILT_IN, is_odd, is_odd_for_text, is_of_dates
from core.imports.parts import BOOK, LINKS, Damaged, read_blocks

MAX_CELLS = 32_000_000  # more than a full sheet of every column; the reader uses 32 bytes a cell
STYLES = "xl/styles.xml"
DIGITS = "0123456789"
_TEXTS = ("s", "str", "inlineStr")  # the types of cells with a text
_TRUE = ("1", "true")


@dataclass
class OddStyles:
    """The number formats that show something else than the value, by the number of the style."""

    numbers: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Merged:
    """Merged cells; rows and columns count from 1."""

    first_row: int
    last_row: int
    columns: range


@dataclass
class Findings:
    """The marked cells of a sheet, and its hidden rows and columns; all count from 1."""

    unreadable: dict[int, set[int]] = field(default_factory=dict)  # by column, the rows
    formats: dict[int, dict[int, str]] = field(default_factory=dict)  # by column, by row
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: list[range] = field(default_factory=list)
    merged: list[Merged] = field(default_factory=list)

    def is_hidden_column(self, column: int) -> bool:
        """Return whether a column is hidden."""
        return any(column in some for some in self.hidden_columns)


def scan_sheet(archive: zipfile.ZipFile, title: str, odd: OddStyles) -> Findings:
    """Scan a sheet; `odd` is what `odd_styles` returns.

    Raises InvalidInput if the sheet has more cells than the reader can handle, and exceptions of
    DAMAGE.
    """
    scan = _Scan(title, odd)
    for block in read_blocks(archive, archive.getinfo(_part_of(archive, title))):
        scan.feed(block)
    scan.feed(b"", is_last=True)
    return scan.found


def odd_styles(archive: zipfile.ZipFile) -> OddStyles:
    """Return the number formats of a workbook that show something else than the value."""
    if STYLES not in archive.namelist():
        return OddStyles()
    styles = _Styles()
    for block in read_blocks(archive, archive.getinfo(STYLES)):
        styles.parser.Parse(block, False)
    styles.parser.Parse(b"", True)
    return styles.odd


def _part_of(archive: zipfile.ZipFile, title: str) -> str:
    """Return the name of the zip part with the sheet."""
    # Document types, and so every entity, were refused before (check_parts).
    book = ElementTree.fromstring(archive.read(BOOK))  # noqa: S314
    links = ElementTree.fromstring(archive.read(LINKS))  # noqa: S314
    targets = {link.get("Id"): link.get("Target", "") for link in links}
    sheets = (one for one in book.iter() if one.tag.rpartition("}")[2] == "sheet")
    found = [one for one in sheets if one.get("name") == title]
    keys = [value for name, value in found[0].items() if name.endswith("}id")] if found else []
    if len(found) != 1 or not keys or keys[0] not in targets:
        raise Damaged
    target = targets[keys[0]]
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


class _Styles:
    """Reads the number formats of a workbook."""

    def __init__(self) -> None:
        self.odd = OddStyles()
        self.codes = dict(BUILT_IN)
        self.is_inside, self.count = False, 0
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        if name == "numFmt":
            self.codes[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif name == "cellXfs":
            self.is_inside = True
        elif name == "xf" and self.is_inside:
            code = self.codes.get(attributes.get("numFmtId", ""), "General")
            if is_odd(code) and not is_of_dates(code):
                self.odd.numbers[str(self.count)] = code
            if is_odd_for_text(code):
                self.odd.texts[str(self.count)] = code
            self.count += 1

    def _end(self, name: str) -> None:
        if name.rpartition(":")[2] == "cellXfs":
            self.is_inside = False


class _Scan:
    """Reads a sheet's XML: how far its cells extend, and what the reader would lose."""

    def __init__(self, title: str, odd: OddStyles) -> None:
        self.title, self.odd = title, odd
        self.found = Findings()
        self.row = self.column = self.rows = self.columns = 0
        self.numbers: dict[str, int] = {}
        self.inside = self.kind = ""
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.StartCdataSectionHandler = self.parser.CommentHandler = self._lose

    def feed(self, block: bytes, *, is_last: bool = False) -> None:
        """Read the next block."""
        self.parser.Parse(block, is_last)
        if self.rows * self.columns > MAX_CELLS:
            raise InvalidInput(
                f"the sheet {self.title[:60]} extends to row {self.rows:,} and column "
                f"{self.columns:,}, more than can be read. Delete the empty rows and columns after "
                "your data, and save it again."
            )

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        if name == "c":
            self._enter_cell(attributes)
        elif name == "row":
            self.row = int(attributes["r"]) if "r" in attributes else self.row + 1
            self.rows, self.column = max(self.rows, self.row), 0
            if _is_hidden(attributes, "ht"):
                self.found.hidden_rows.add(self.row)
        elif name == "f" and self.kind != "str":  # a text is a result, also if it is empty
            # Look for a result until the cell ends.
            self.parser.EndElementHandler = self._end
            self.parser.CharacterDataHandler = self._say
        elif name == "col" and _is_hidden(attributes, "width"):
            self.found.hidden_columns.append(
                range(int(attributes["min"]), int(attributes["max"]) + 1)
            )
        elif name == "mergeCell":
            self.found.merged.append(self._merged(attributes["ref"]))
        self.inside = name

    def _merged(self, reference: str) -> Merged:
        """Parse the place of merged cells, such as A2:A4."""
        ends = [(one.rstrip(DIGITS), one) for one in reference.split(":")]
        rows = [int(one[len(letters) :]) for letters, one in ends]
        columns = [self._number_of(letters) for letters, _ in ends]
        return Merged(rows[0], rows[-1], range(columns[0], columns[-1] + 1))

    def _enter_cell(self, attributes: dict[str, str]) -> None:
        place = attributes.get("r")
        if place is None:
            self.column += 1
        else:
            letters = place.rstrip(DIGITS)
            self.row, self.column = int(place[len(letters) :]), self._number_of(letters)
            self.rows = max(self.rows, self.row)
        self.columns = max(self.columns, self.column)
        self.kind = attributes.get("t", "n")
        if self.kind == "e":
            self.found.unreadable.setdefault(self.column, set()).add(self.row)
        elif "s" in attributes and (self.kind == "n" or self.kind in _TEXTS):
            odd = self.odd.numbers if self.kind == "n" else self.odd.texts
            if attributes["s"] in odd:
                self.found.formats.setdefault(self.column, {})[self.row] = odd[attributes["s"]]

    def _lose(self, *_comment: str) -> None:
        """Mark a value with a CDATA section or a comment: the reader leaves out what follows."""
        if self.inside == "v":
            self.found.unreadable.setdefault(self.column, set()).add(self.row)

    def _number_of(self, letters: str) -> int:
        if letters not in self.numbers:
            number = 0
            for letter in letters.upper():
                number = number * 26 + ord(letter) - 64
            self.numbers[letters] = number
        return self.numbers[letters]

    def _say(self, text: str) -> None:
        if self.inside != "f" and text.strip():
            self._leave_formula()

    def _end(self, name: str) -> None:
        name = name.rpartition(":")[2]
        if name == "c":
            self.found.unreadable.setdefault(self.column, set()).add(self.row)
            self._leave_formula()
        elif name == "f" and self.kind != "str":  # a text is a result, also if it is empty
            self.inside = ""

    def _leave_formula(self) -> None:
        self.parser.EndElementHandler = self.parser.CharacterDataHandler = None


def _is_hidden(attributes: dict[str, str], size: str) -> bool:
    """Return whether a row or a column is hidden, or has no height or width."""
    return attributes.get("hidden") in _TRUE or _is_zero(attributes.get(size, ""))


def _is_zero(size: str) -> bool:
    return size.strip("0.") == "" and "0" in size
