"""What a server imports, done once in the process that servers are forked from; and its start."""

import ast
import os
import sys
import threading
from contextlib import suppress
from multiprocessing import parent_process
from pathlib import Path

from streamlit.web import bootstrap, cli
from streamlit.web.server import app_discovery
from streamlit.web.server.starlette import starlette_server

from core import readiness

PROJECT = Path(__file__).resolve().parents[2]
LOADED = (bootstrap, app_discovery, starlette_server)  # which `streamlit run` imports when it runs


# A component that is declared before Streamlit runs is not found later, nor is a setting.
DECLARES = "st_aggrid"


def _import_what_is_imported_in(script: Path) -> None:
    """Run the imports of a script, and nothing else of it."""
    imports = [one for one in ast.parse(script.read_text()).body if isinstance(one, ast.ImportFrom)]
    for one in imports:
        with suppress(ImportError):
            exec(compile(ast.Module([one], []), script, "exec"), {})


sys.modules[DECLARES] = None  # type: ignore[assignment]  # to import it fails
for script in (PROJECT / "app.py", *PROJECT.glob("pages/*.py")):
    _import_what_is_imported_in(script)
del sys.modules[DECLARES]
readiness.EVERY_SECONDS = 0.25  # tests wait for what /readyz says


def serve(settings: dict[str, str], log: str) -> None:
    """Run `streamlit run app.py` with settings, until it ends; its output is added to a file."""
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for stream in (1, 2):
        os.dup2(output, stream)
    os.chdir(PROJECT)
    os.environ.clear()
    os.environ.update(settings)
    threading.Thread(target=_end_with_the_tests, daemon=True).start()
    sys.argv = ["streamlit", "run", "app.py"]
    cli.main()


def _end_with_the_tests() -> None:
    tests = parent_process()
    assert tests is not None
    tests.join()
    os._exit(1)
