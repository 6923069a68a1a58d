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

BLOCK_BYTES = 1 << 20
BOOK, LINKS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
XML_ENDINGS = (".xml", ".rels", ".vml")
MAX_INDEX_BYTES = 5_000_000  # of each of these two, which are read completely
_COUNT = re.compile(rb"ount\s*=\s*[\"']\s*(\d{1,30})")
_OVERLAP = 64  # longer than a count, and than a document type in every encoding
# XML allows it before the first element alone, but other readers may see it elsewhere too.
_DOCTYPE = re.compile(b"\0{0,3}".join(b"<!DOCTYPE"[at : at + 1] for at in range(9)), re.IGNORECASE)


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
    Damaged for two parts with one name, or a count of more things than fit into the part; and
    InvalidInput for a document type.
    """
    names = [entry.filename.replace("\\", "/").lower() for entry in archive.infolist()]
    if BOOK not in names or len(set(names)) < len(names):
        raise Damaged
    unpacked = 0
    for entry in archive.infolist():
        size, most, tail, prolog = 0, 0, b"", _Prolog(entry.filename)
        for block in read_blocks(archive, entry):
            size += len(block)
            if unpacked + size > limit_mb * 1_000_000:
                raise InvalidInput(
                    f"unpacked, it is over the limit of {limit_mb:,} MB (IMPORT_MAX_MB)."
                )
            most = max([most, *map(int, _COUNT.findall(tail + block))])
            if _DOCTYPE.search(tail + block):
                _refuse_doctype()
            prolog.feed(block)
            tail = block[-_OVERLAP:]
        unpacked += size
        is_index = entry.filename in (BOOK, LINKS)
        if most > max(size, 100_000) or (is_index and size > MAX_INDEX_BYTES):
            raise Damaged


def read_blocks(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield what a part unpacks to, whatever size the zip file declares."""
    unlimited = copy(entry)  # the declared size may be wrong
    unlimited.file_size = 2**62
    with archive.open(unlimited) as part:
        while block := part.read(BLOCK_BYTES):
            yield block


class _Prolog:
    """Reads a part up to its first element, and refuses a document type, in every encoding."""

    def __init__(self, name: str) -> None:
        self.is_xml = name.lower().endswith(XML_ENDINGS)
        self.is_read = False
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._end
        self.parser.StartDoctypeDeclHandler = _refuse_doctype

    def feed(self, block: bytes) -> None:
        """Read the next block, unless the first element has begun. Only XML has to be valid."""
        if self.is_read:
            return
        try:
            self.parser.Parse(block, False)
        except (expat.ExpatError, LookupError, ValueError):
            # The prolog may end in the block that has an error further on.
            if self.is_xml and not self.is_read:
                raise Damaged from None
            self.is_read = True

    def _end(self, *_element: object) -> None:
        self.is_read, self.parser.StartElementHandler = True, None


def _refuse_doctype(*_declared: object) -> NoReturn:
    raise InvalidInput("the workbook is damaged or hostile: its XML has a document type (DOCTYPE).")
