"""The documentation, proved: `python -m tests.docs` writes what is generated, the tests compare."""

from pathlib import Path

PROJECT = Path(__file__).parent.parent.parent
