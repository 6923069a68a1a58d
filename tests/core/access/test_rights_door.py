"""Every use case that writes uses core.access.rights. The source is searched, so none is missed."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import core
from tests.core.access.use_cases import USE_CASES

OPENS = {"storage.transactions.writing", "storage.transactions.rebuilding"}
DOOR = {"access.rights.changing", "access.rights.committing", "access.rights.handing_out"}
# What the worker does by itself, or with requests that were permitted when they were made.
WORKER = {
    "imports.runs",
    "mail.deliver.delivery",
    "mail.deliver.expiry",
    "mail.deliver.records",
    "refunds.returned",
    "refunds.settlement",
    "worker",
}
# What acts for no user, or what a user without access may do too: sign out.
OF_NO_PERSON = {
    "refunds.late.decline_late",  # nobody has decided
    "upkeep.copies.copy_to",
    "upkeep.keys.check_keys",
    "vouchers.verification._count_together",
    "demo.filling.fill_blank",
    "overview.counting.refresh_figures",
    "access.people.ensure_someone_can_sign_in",
    "access.permissions.refuse",
    "access.seen.note_seen",
    "access.sign_ins._sign_out",
    "access.sign_ins._write",
    "access.sign_ins.end_sign_in",
    "access.actors.ensure_local_user",
}
HANDED_TO_THE_DOOR = {"demo.filling._rebuilding"}  # it opens the transaction
# Parts of use cases, which are tested with them.
PARTS = {
    "mail.queue.requests.queueing",
    "excel.about.about_export",
    "excel.limit.record_export",
    "imports.background.begin_check",
    "imports.background.begin_import",
    "imports.background.cancel_run",
    "imports.background.forget_run",
}
Sources = Mapping[str, str]  # module by name


def sources_of_core() -> Sources:
    folder = Path(core.__file__).parent
    files = [path for path in folder.rglob("*.py") if "migrations" not in path.parts]
    return {_name_of(path.relative_to(folder)): path.read_text() for path in files}


def _name_of(path: Path) -> str:
    """Return the name of a module inside core; a package has the name of its folder."""
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def faces(sources: Sources) -> dict[str, str]:
    """Return the modules that define the names of a package: storage.writing is in the engine."""
    found: dict[str, str] = {}
    for package, source in sources.items():
        known = known_names(package, source)
        found |= {f"{package}.{name}": home for name, home in known.items()}
    return found


def functions(module: str, source: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Yield the functions and methods of a module by name; nested ones belong to the outer one."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            yield f"{module}.{node.name}", node
        elif isinstance(node, ast.ClassDef):
            methods = (one for one in node.body if isinstance(one, ast.FunctionDef))
            yield from ((f"{module}.{node.name}.{one.name}", one) for one in methods)


def known_names(module: str, source: str) -> dict[str, str]:
    """Return what the names of a module refer to, without the prefix `core`."""
    tree = ast.parse(source)
    known = {name.rpartition(".")[2]: name for name, _ in functions(module, source)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "core":
            home = (node.module or "").removeprefix("core").removeprefix(".")
            for one in node.names:
                known[one.asname or one.name] = f"{home}.{one.name}".removeprefix(".")
    return known


def uses(sources: Sources) -> dict[str, set[str]]:
    """Return the functions of core that each function of core calls or passes on."""
    found, offered = {}, faces(sources)
    for module, source in sources.items():
        known = known_names(module, source)
        for name, function in functions(module, source):
            used = {one for node in ast.walk(function) if (one := _used(node, known))}
            found[name] = {offered.get(one, one) for one in used}
    return found


def _used(node: ast.AST, known: Mapping[str, str]) -> str | None:
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{known.get(node.value.id)}.{node.attr}"
    return None


def openers(sources: Sources) -> set[str]:
    """Find the functions that open a write transaction themselves."""
    return {name for name, used in uses(sources).items() if used & OPENS and name not in DOOR}


def use_cases(sources: Sources) -> set[str]:
    """Find the public functions with an actor that use core.access.rights, also indirectly."""
    used_by, reaching = uses(sources), set(DOOR)
    while more := {name for name, used in used_by.items() if used & reaching} - reaching:
        reaching |= more
    return {
        name
        for module, source in sources.items()
        for name, function in functions(module, source)
        if name in reaching - DOOR and "._" not in name and "actor" in parameters(function)
    }


def parameters(function: ast.FunctionDef) -> set[str]:
    given = function.args
    return {one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)}


def test_only_core_rights_and_code_without_an_actor_open_write_transactions() -> None:
    found = openers(sources_of_core())
    elsewhere = {name for name in found if not name.startswith(tuple(f"{one}." for one in WORKER))}
    assert elsewhere == OF_NO_PERSON | HANDED_TO_THE_DOOR


def test_the_worker_takes_no_actor() -> None:
    sources = {name: text for name, text in sources_of_core().items() if name in WORKER}
    assert set(sources) == WORKER
    for module, source in sources.items():
        taking = [name for name, one in functions(module, source) if "actor" in parameters(one)]
        assert taking == []


def test_every_use_case_that_uses_core_rights_is_tested_without_rights() -> None:
    assert use_cases(sources_of_core()) == set(USE_CASES) | PARTS


NAIVE = """
from core import storage
from core.ground import Permission
from core.permissions import require

def remove(order_id, *, actor):
    require(actor, Permission.IMPORT)
    _remove(order_id)

def _remove(order_id):
    with storage.writing() as session:
        session.delete(order_id)
"""
GUARDED = """
from core import access
from core.ground import Permission

def remove(order_id, *, actor):
    _remove(order_id, actor)

def _remove(order_id, actor):
    with access.changing(actor, Permission.IMPORT) as (session, actor):
        session.delete(order_id)
"""
ALIASED = """
from core.storage.transactions import rebuilding

def wipe(*, actor):
    start = rebuilding
"""


def test_a_use_case_that_opens_its_own_transaction_is_detected() -> None:
    face = {"storage": "from core.storage.transactions import writing"}
    assert openers(face | {"query.order": NAIVE}) == {"query.order._remove"}
    assert openers(face | {"query.order": ALIASED}) == {"query.order.wipe"}
    assert openers(face | {"query.order": GUARDED}) == set()


def test_a_use_case_without_such_a_test_is_detected() -> None:
    face = {"access": "from core.access.rights import changing"}
    assert use_cases(face | {"query.order": GUARDED}) == {"query.order.remove"}
    assert use_cases(face | {"query.order": NAIVE}) == set()
