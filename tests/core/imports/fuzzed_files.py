"""Broken files: valid ones, damaged in a thousand ways, the same on every run."""

import csv
import io
import random
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.core.imports.imported import ITEM, ORDER, REFUND, Sheets, write_workbook
from tests.core.query.fuzzed_models import DAYS, INJECTIONS, TEXTS

Parts = dict[str, bytes]
EVIL_NUMBERS = [
    "-1", "0", "1e9", "1e400", "-1e400", "NaN", "Infinity", "1" * 400, "-0", "1_000", "٣", "0x10",
    "99999999999999999999", "9007199254740993", "1.005", "=1+1", "=cmd|' /C calc'!A0", "1e-400",
]  # fmt: skip
EVIL_CELLS: list[Any] = [
    *EVIL_NUMBERS, *INJECTIONS, *DAYS, "\u202e", "x" * 32_000, None, True, False, -1, 10**15, 1e300,
    2**63, 1.5, "9999-12-31 23:59:59+14:00", "0001-01-01T00:00:00-23:59", "24:00", "XXX", "zz",
]  # fmt: skip
EVIL_XML = [
    b"<", b">", b"&", b'"', b"\x00", b"\xff", b"&#0;", b"&#x110000;", b"&undefined;", b"<![CDATA[",
    b"]]>", b"<!--", b"<?x?>", b"</sheetData>", b"</c>", b"<c/>", b"<row/>", b'<c r="XFD1048576"/>',
    b'<row r="1048576"><c r="A1048576"><v>1</v></c></row>', b'<c r="ZZZZZZZ9"><v>1</v></c>',
    b'<c r="A3" t="s"><v>999999999</v></c>', b'<c r="B3" t="d"><v>99999-99-99</v></c>',
    b'<c r="B3" s="4294967295"><v>1e300</v></c>', b'<c r="A3" t="e"><v>#REF!</v></c>',
    b'<c r="A3"><f>1+1</f></c>', b'<c r="A3" t="b"><v>7</v></c>', b"NaN", b"1e400", b"-1", b"r=",
    b' xmlns=""', b' count="99999999999"', b' uniqueCount="4294967295"',
    b'<!DOCTYPE x [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
    b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><c r="A3" t="str"><v>&a;</v></c>',
]  # fmt: skip


def books(drawn: random.Random, no: int) -> Sheets:
    """Return the sheets of an order with a used and a refunded item, and some hostile cells."""
    order_id, item_id = f"F{no}", f"F{no}-1"
    sheets: Sheets = {
        "Orders": [ORDER | {"Order ID": order_id}],
        "Order Items": [ITEM | {"Order ID": order_id, "Order Item ID": item_id}],
        "Transactions": [],
    }
    if drawn.random() < 0.5:
        refund = {"Transaction ID": f"T{no}", "Order ID": order_id, "Order Item ID": item_id}
        sheets["Transactions"] = [REFUND | refund]
        sheets["Order Items"][0]["Status"] = "refunded"
    return sheets


def _with_evil_cells(drawn: random.Random, sheets: Sheets) -> Sheets:
    rows = [row for rows in sheets.values() for row in rows]
    for _ in range(drawn.choice([1, 1, 2, 5])):
        row = drawn.choice(rows)
        row[drawn.choice([*row, *row, "No", "Total", "Amount", "Status", "Used At", "", "x"])] = (
            drawn.choice(EVIL_CELLS)
        )
    return sheets


def parts_of(path: Path) -> Parts:
    """Return the parts of a workbook."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_parts(path: Path, parts: Parts) -> None:
    """Write a workbook of these parts."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def _break_bytes(drawn: random.Random, content: bytes) -> bytes:
    """Cut, change, double or insert some bytes."""
    broken = bytearray(content)
    for _ in range(drawn.choice([1, 1, 3, 10])):
        at, length = drawn.randrange(len(broken) + 1), drawn.choice([1, 1, 4, 50])
        match drawn.randrange(5):
            case 0:
                broken[at : at + length] = drawn.randbytes(length)
            case 1:
                del broken[at : at + length]
            case 2:
                broken[at:at] = broken[at : at + length]
            case 3:
                broken[at:at] = drawn.choice(EVIL_XML)
            case _:
                del broken[at if drawn.random() < 0.2 else len(broken) :]
    return bytes(broken)


def _break_parts(drawn: random.Random, parts: Parts) -> Parts:
    """Break the XML of one part, by byte or by attribute; or drop, swap or rename a part."""
    name = drawn.choice([one for one in parts if one.startswith("xl/") or drawn.random() < 0.2])
    broken = dict(parts)
    match drawn.randrange(8):
        case 0:
            del broken[name]
        case 1:
            broken[name] = parts[drawn.choice(list(parts))]
        case 2:
            broken[drawn.choice(["xl/x.xml", name.upper(), "../../etc/passwd", "/", "a" * 300])] = (
                broken.pop(name)
            )
        case 3:
            text = parts[name].decode()
            broken[name] = text.encode(drawn.choice(["utf-16", "utf-32", "utf-7", "cp037"]))
        case 4 | 5:
            found = list(re.finditer(rb'(?<==")[^"]*(?=")|(?<=>)[^<]+(?=<)', parts[name]))
            if found:
                one, evil = drawn.choice(found), drawn.choice([*EVIL_CELLS, *TEXTS])
                value = str(evil).encode("utf-8", "replace")
                broken[name] = parts[name][: one.start()] + value + parts[name][one.end() :]
        case _:
            broken[name] = _break_bytes(drawn, parts[name])
    return broken


def _write_csv(drawn: random.Random, path: Path, sheets: Sheets) -> None:
    rows = sheets[drawn.choice(["Orders", "Order Items"])]
    header = list(rows[0])
    match drawn.randrange(6):
        case 0:
            header.append(drawn.choice(header))  # a duplicate
        case 1:
            header = [f"{name} ({drawn.choice(['Mars', 'Europe/Paris', ''])})" for name in header]
        case 2:
            header += [f"x{number}" for number in range(16_000)]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=drawn.choice(",;\t|"), lineterminator=drawn.choice("\n\r"))
    writer.writerow(header)
    writer.writerows([row.get(name) for name in header] for row in rows)
    content = text.getvalue().encode(drawn.choice(["utf-8", "utf-8-sig", "utf-16"]), "replace")
    match drawn.randrange(5):
        case 0:
            content = _break_bytes(drawn, content)
        case 1:
            content += drawn.choice([b"\x00", b'"', b"\r\r\n", b"x" * 300_000, b"," * 50_000])
        case 2:
            content = content.replace(b"A1", drawn.choice([b"\x00", b"\xed\xa0\x80", b'"', b"\n"]))
    path.write_bytes(content)


def _write_bytes(drawn: random.Random, path: Path, sheets: Sheets) -> None:
    write_workbook(path, sheets)
    path.write_bytes(_break_bytes(drawn, path.read_bytes()))


def _write_parts(drawn: random.Random, path: Path, sheets: Sheets) -> None:
    write_workbook(path, sheets)
    write_parts(path, _break_parts(drawn, parts_of(path)))


def _write_cells(drawn: random.Random, path: Path, sheets: Sheets) -> None:
    write_workbook(path, _with_evil_cells(drawn, sheets))


def _write_cells_csv(drawn: random.Random, path: Path, sheets: Sheets) -> None:
    _write_csv(drawn, path, _with_evil_cells(drawn, sheets))


KINDS: dict[str, tuple[Callable[[random.Random, Path, Sheets], None], list[str]]] = {
    "bytes of a workbook": (_write_bytes, [".xlsx", ".xlsm", ".csv"]),
    "parts of a workbook": (_write_parts, [".xlsx"]),
    "cells of a workbook": (_write_cells, [".xlsx", ".XLSX", ".bin"]),
    "CSV": (_write_csv, [".csv", ".csv", ".txt", ".xlsx"]),
    "cells of a CSV": (_write_cells_csv, [".csv"]),
}


def fuzzed_files(kind: str, count: int, folder: Path) -> Iterator[Path]:
    """Yield broken files of a kind; each one overwrites the previous one."""
    write, endings = KINDS[kind]
    drawn = random.Random(kind)
    for number in range(count):
        path = folder / f"orders{drawn.choice(endings)}"
        write(drawn, path, books(drawn, number))
        yield path
        path.unlink()
