"""What a server imports, done once in the process that servers are forked from; and its start."""

import ast
import importlib
import os
import sys
import threading
from multiprocessing import parent_process
from pathlib import Path

from streamlit.web import bootstrap, cli
from streamlit.web.server import app_discovery
from streamlit.web.server.starlette import starlette_server

PROJECT = Path(__file__).resolve().parents[2]
LOADED = (bootstrap, app_discovery, starlette_server)  # which `streamlit run` imports when it runs


def _import_all_of(script: str) -> None:
    for node in ast.walk(ast.parse((PROJECT / script).read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            importlib.import_module(node.module)


for script in ("app.py", "pages/main.py"):
    _import_all_of(script)


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
