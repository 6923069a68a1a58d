"""The command line: python -m core COMMAND; --help lists the commands."""

import argparse
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TypeVar

from core import (
    access,
    demo,
    excel,
    imports,
    overview,
    startup,
    storage,
    upkeep,
    views,
    vouchers,
    worker,
)
from core.access import Actor
from core.ground import (
    AppError,
    InvalidInput,
    OutsideFailed,
    Refused,
    configure_logs,
    ending,
    handle_signals,
    part_of,
    word_of,
)
from core.tables import TABLES
from core.vouchers import Verdict

Result = TypeVar("Result")
_SHOWN = [table.name for table in TABLES.values() if table.shown]


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return 0 on success, or 1 after printing why it failed."""
    asked = make_parser().parse_args(arguments)
    now = datetime.now(UTC)
    try:
        if getattr(asked, "public_key", None):
            print(_verify_offline(asked, now))
            return 0
        if asked.command in (_work, _migrate, _back_up, _restore, _copy):
            print(asked.command(asked))  # without preparing the database or finding the user
            return 0
        startup.prepare(now, may_fill=False)
        actor = access.find_console_actor()
        if actor is None:
            raise InvalidInput("The local user is not active, so nothing was done.")
        print(asked.command(asked, actor, now))
    except imports.Faulty as error:
        print(error.full_report(), file=sys.stderr)
        return 1
    except (AppError, OSError, UnicodeDecodeError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line; docs/command-line.md is made from it."""
    parser = argparse.ArgumentParser(prog="python -m core", description="Order Desk's commands.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    one = commands.add_parser("import", help="import orders from a workbook or CSV files")
    one.add_argument("files", nargs="+", type=Path, metavar="FILE")
    one.set_defaults(command=_import)

    one = commands.add_parser("dump", help="write every order as an import workbook")
    one.add_argument("file", type=Path, metavar="FILE.xlsx")
    one.set_defaults(command=_dump)

    one = commands.add_parser("template", help="write an empty import workbook")
    one.add_argument("file", type=Path, metavar="FILE.xlsx")
    one.set_defaults(command=_template)

    one = commands.add_parser("demo", help="fill an empty or demo database with sample orders")
    one.add_argument("--orders", type=_positive, default=demo.DEFAULT_ORDERS, metavar="N")
    one.set_defaults(command=_demo)

    one = commands.add_parser("export", help="write a view as Excel or CSV, as pages do")
    one.add_argument("table", choices=_SHOWN, metavar="TABLE")
    one.add_argument("file", type=Path, metavar="FILE", help="FILE.csv is CSV, all others Excel")
    one.add_argument("--view", default=None, help="the value of ?view= in the page's address")
    one.add_argument("--zone", default="UTC", help="IANA time zone, if the view has none")
    one.set_defaults(command=_export)

    one = commands.add_parser("rebuild-figures", help="calculate the figures of Overview again")
    one.set_defaults(command=_rebuild_figures)

    one = commands.add_parser("public-key", help="print the keys that verify vouchers offline")
    one.set_defaults(command=_public_key)

    one = commands.add_parser("trust-keys", help="let all processes accept the keys of this one")
    one.add_argument("--only", action="store_true", help="and no other key of vouchers any more")
    one.set_defaults(command=_trust_keys)

    one = commands.add_parser("verify", help="verify the code of a voucher")
    one.add_argument("code", metavar="CODE")
    one.add_argument(
        "--public-key",
        type=Path,
        metavar="FILE",
        help="verify offline: signature, not status",
    )
    one.set_defaults(command=_verify)

    one = commands.add_parser("backup", help="back up the SQLite database, even while it is in use")
    one.add_argument("file", type=Path, metavar="FILE")
    one.set_defaults(command=_back_up)

    one = commands.add_parser("restore", help="replace the SQLite database by a backup")
    one.add_argument("file", type=Path, metavar="FILE")
    one.add_argument("--replace", action="store_true", help="even if the database has real orders")
    one.set_defaults(command=_restore)

    one = commands.add_parser("copy", help="copy everything to another, empty database")
    one.add_argument("--to", required=True, metavar="URL", help="a URL like in DATABASE_URL")
    one.add_argument("--replace", action="store_true", help="even if it has data")
    one.set_defaults(command=_copy)

    one = commands.add_parser("migrate", help="upgrade the database to this version's schema")
    one.set_defaults(command=_migrate)

    one = commands.add_parser(
        "worker", help="settle refunds and send mail until stopped, as its own process"
    )
    one.set_defaults(command=_work)
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _import(asked: argparse.Namespace, actor: Actor, now: datetime) -> str:
    return imports.import_files(asked.files, actor=actor, now=now).in_words()


def _dump(asked: argparse.Namespace, actor: Actor, now: datetime) -> str:
    counts = _write_whole(asked.file, lambda file: excel.dump(file, actor=actor, now=now))
    rows = ", ".join(f"{count:,} {title}" for title, count in counts.items())
    return f"{asked.file}: {rows}"


def _template(asked: argparse.Namespace, _actor: Actor, _now: datetime) -> str:
    _write_whole(asked.file, excel.write_template)
    return f"{asked.file}: fill it in, then: python -m core import {asked.file}"


def _demo(asked: argparse.Namespace, actor: Actor, now: datetime) -> str:
    demo.fill(asked.orders, actor=actor, now=now)
    return f"{asked.orders:,} sample orders, with their items, refunds and transactions."


def _rebuild_figures(_asked: argparse.Namespace, actor: Actor, now: datetime) -> str:
    return f"{overview.rebuild_figures(actor=actor, now=now):,} figures were calculated."


def _export(asked: argparse.Namespace, actor: Actor, now: datetime) -> str:
    table = TABLES[asked.table]
    parameters = {} if asked.view is None else {"view": asked.view}
    view = views.opened_at(table, parameters, actor=actor, zone=asked.zone).view
    is_csv = asked.file.suffix.lower() == ".csv"
    file_format = excel.FileFormat.CSV if is_csv else excel.FileFormat.XLSX

    def write(file: IO[bytes]) -> int:
        return excel.export(view, file, actor=actor, now=now, file_format=file_format)

    rows = _write_whole(asked.file, write)
    return f"{asked.file}: {rows:,} {table.many}"


def _back_up(asked: argparse.Namespace) -> str:
    size = upkeep.back_up(asked.file)
    return f"{asked.file}: {size:,} bytes, checked. It does not include the files in DATA_DIR."


def _restore(asked: argparse.Namespace) -> str:
    size = upkeep.restore(asked.file, may_replace=asked.replace)
    return f"Restored {asked.file}: {size:,} bytes, checked."


def _copy(asked: argparse.Namespace) -> str:
    return upkeep.copy_in_words(asked.to, upkeep.copy_to(asked.to, may_replace=asked.replace))


def _migrate(_asked: argparse.Namespace) -> str:
    before, after = storage.migrate()
    if before == after:
        return f"The database has the schema of this version already: {after}."
    return f"The database was upgraded from schema {before or 'none'} to {after}."


def _work(_asked: argparse.Namespace) -> str:
    """Run the worker until it is stopped; wait for a database that is not ready yet."""
    handle_signals(call_previous=False)
    startup.warn_of_open_files()
    print("Settling refunds and sending mail. Stop with Ctrl+C.", flush=True)
    while not ending.is_set():
        try:
            startup.prepare_to_serve(datetime.now(UTC), may_fill=False)
        except OutsideFailed as error:
            print(error, file=sys.stderr, flush=True)
            ending.wait(worker.PAUSE_SECONDS)
        else:
            worker.work(ending, is_standalone=True)
    return "Stopped."


def _public_key(_asked: argparse.Namespace, _actor: Actor, _now: datetime) -> str:
    return vouchers.public_key_text(vouchers.accepted_keys()).rstrip()


def _trust_keys(asked: argparse.Namespace, actor: Actor, now: datetime) -> str:
    return upkeep.trust_keys(only=asked.only, actor=actor, now=now)


def _verify(asked: argparse.Namespace, actor: Actor, now: datetime) -> str:
    found = vouchers.verify(asked.code, actor=actor, now=now)
    if found.verdict is not Verdict.VALID:
        raise Refused(f"{found.verdict}: {found.sentence}")
    return f"{found.verdict}: {found.sentence}"


def _verify_offline(asked: argparse.Namespace, now: datetime) -> str:
    """Verify a code with a public key only, without database and settings.

    Raises Refused if it is genuine but expired or not valid yet.
    """
    keys = vouchers.parse_public_keys(asked.public_key.read_text())
    found = vouchers.parse_code(asked.code, keys)
    first, last = (f"{at:%Y-%m-%d %H:%M} UTC" for at in (found.valid_from, found.valid_until))
    said = (
        f"Genuine: valid from {first} to {last}, {word_of(found.pax_type)}. "
        "Only the Verify page knows whether it was used or refunded."
    )
    if vouchers.is_over(found.valid_until, now=now):
        raise Refused(f"{Verdict.EXPIRED}. {said}")
    if vouchers.is_early(found.valid_from, now=now):
        raise Refused(f"{Verdict.EARLY}. {said}")
    return said


def _write_whole(path: Path, write: Callable[[IO[bytes]], Result]) -> Result:
    """Write a private temporary file, then move it to `path`: completely or not at all."""
    with part_of(path) as part:
        with part.open("wb") as file:
            result = write(file)
        part.replace(path)
    return result


if __name__ == "__main__":
    configure_logs()
    sys.exit(main())
