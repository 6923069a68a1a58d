"""Contracts for import-linter: packages are imported by their faces, page scripts not at all.

The face is the package itself, its `__init__`. Its modules import each other; nobody else does.
"""

from collections.abc import Iterator

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, output

PARENTS = ("core", "pages")


class FacesContract(Contract):
    """Kept where no import reaches past the face of another package."""

    type_name = "faces"

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Look at every import of the graph."""
        past = sorted(_past_a_face(graph))
        return ContractCheck(kept=not past, metadata={"past": past})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Say which imports reach past a face, and what to import instead."""
        for importer, imported in check.metadata["past"]:
            output.print_error(f"{importer} imports {imported}: import {package_of(imported)}.")


def _past_a_face(graph: ImportGraph) -> Iterator[tuple[str, str]]:
    for importer in graph.modules:
        for imported in graph.find_modules_directly_imported_by(importer):
            face = package_of(imported)
            is_ours = imported.startswith(tuple(f"{one}." for one in PARENTS))
            if is_ours and imported != face and package_of(importer) != face:
                yield importer, imported


def package_of(module: str) -> str:
    """Return the package of core or pages that a module is in: core.refunds.rule, core.refunds."""
    return ".".join(module.split(".")[:2])


class ScriptsContract(Contract):
    """Kept where nothing imports a module that stands in pages itself: Streamlit runs these."""

    type_name = "scripts"

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Look at who imports each page script."""
        inside = graph.find_children("pages")
        scripts = {module for module in inside if not graph.find_children(module)}
        found = sorted(
            (importer, script)
            for script in scripts
            for importer in graph.find_modules_that_directly_import(script)
        )
        return ContractCheck(kept=not found, metadata={"found": found})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Say who imports which page."""
        for importer, script in check.metadata["found"]:
            output.print_error(f"{importer} imports the page {script}: move what both need.")
