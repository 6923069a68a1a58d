"""Check imported workbooks before the reader allocates memory for them.

The reader trusts the file: for a single cell far down, or a wrong count of texts, it allocates more
memory than there is, and the process dies.
"""

import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from copy import copy
from typing import NoReturn
from xml.etree import ElementTree
from xml.parsers import expat

from core.ground import InvalidInput

MAX_CELLS = 32_000_000  # more than a full sheet of every column; the reader uses 32 bytes a cell
BLOCK_BYTES = 1 << 20
BOOK, LINKS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
MAX_INDEX_BYTES = 5_000_000  # of each of these two, which are read completely
DIGITS = "0123456789"
_COUNT = re.compile(rb"ount\s*=\s*[\"']\s*(\d{1,30})")
_OVERLAP = 64  # longer than a count


class Damaged(Exception):
    """Excel could not open the workbook."""


# The exceptions that a damaged or hostile zip file, or its XML, causes.
DAMAGE = (
    Damaged, zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, expat.ExpatError,
    ElementTree.ParseError, OSError, EOFError, ValueError, KeyError, RuntimeError,
)  # fmt: skip


def check_parts(archive: zipfile.ZipFile, *, limit_mb: int) -> None:
    """Unpack every part completely, block by block, without keeping it.

    The sizes that the zip file declares are not trusted. Raises InvalidInput over the limit, and
    Damaged for two parts with one name, or a count of more things than fit into the part.
    """
    names = [entry.filename.replace("\\", "/").lower() for entry in archive.infolist()]
    if BOOK not in names or len(set(names)) < len(names):
        raise Damaged
    unpacked = 0
    for entry in archive.infolist():
        size, most, tail = 0, 0, b""
        for block in _blocks(archive, entry):
            size += len(block)
            if unpacked + size > limit_mb * 1_000_000:
                raise InvalidInput(
                    f"unpacked, it is over the limit of {limit_mb:,} MB (IMPORT_MAX_MB)."
                )
            most = max([most, *map(int, _COUNT.findall(tail + block))])
            tail = block[-_OVERLAP:]
        unpacked += size
        is_index = entry.filename in (BOOK, LINKS)
        if most > max(size, 100_000) or (is_index and size > MAX_INDEX_BYTES):
            raise Damaged


def _blocks(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    unlimited = copy(entry)  # the declared size may be wrong
    unlimited.file_size = 2**62
    with archive.open(unlimited) as part:
        while block := part.read(BLOCK_BYTES):
            yield block


def unreadable_cells(archive: zipfile.ZipFile, title: str) -> list[tuple[int, int]]:
    """Return row and column of cells that contain an error, or a formula without its result.

    The reader returns such cells as empty, so they would be lost unnoticed. Raises InvalidInput if
    the sheet has more cells than the reader can handle, and exceptions of DAMAGE.
    """
    scan = _Scan(title)
    for block in _blocks(archive, archive.getinfo(_part_of(archive, title))):
        scan.feed(block)
    scan.feed(b"", is_last=True)
    return list(scan.unreadable)


def _part_of(archive: zipfile.ZipFile, title: str) -> str:
    """Return the name of the zip part with the sheet."""
    # The reader has already refused document types, and so every entity.
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


class _Scan:
    """Reads a sheet's XML: how far its cells extend, and which ones the reader would lose."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.unreadable: dict[tuple[int, int], None] = {}
        self.row = self.column = self.rows = self.columns = 0
        self.numbers: dict[str, int] = {}
        self.inside = ""
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.StartDoctypeDeclHandler = _refuse

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
        elif name == "f":
            # Look for a result until the cell ends.
            self.parser.EndElementHandler = self._end
            self.parser.CharacterDataHandler = self._say
        self.inside = name

    def _enter_cell(self, attributes: dict[str, str]) -> None:
        place = attributes.get("r")
        if place is None:
            self.column += 1
        else:
            letters = place.rstrip(DIGITS)
            self.row, self.column = int(place[len(letters) :]), self._number_of(letters)
            self.rows = max(self.rows, self.row)
        self.columns = max(self.columns, self.column)
        if attributes.get("t") == "e":
            self.unreadable[self.row, self.column] = None

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
            self.unreadable[self.row, self.column] = None
            self._leave_formula()
        elif name == "f":
            self.inside = ""

    def _leave_formula(self) -> None:
        self.parser.EndElementHandler = self.parser.CharacterDataHandler = None


def _refuse(*_declared: object) -> NoReturn:
    raise Damaged
