"""GET /app/static/fonts/<file>: the fonts of the screen, which a browser keeps for a year.

So a font never changes under its name: a new one has a new name.
"""

from pathlib import Path
from typing import Any

from starlette.responses import Response
from starlette.staticfiles import StaticFiles

KEPT = "public, max-age=31536000, immutable"


class Fonts(StaticFiles):
    """Serves the font files, and the style sheet of those that are loaded when needed."""

    def __init__(self) -> None:
        super().__init__(directory=Path(__file__).parents[1] / "static/fonts")

    def file_response(self, *given: Any, **named: Any) -> Response:
        """Answer with a file, or with 304 if the browser has it."""
        response = super().file_response(*given, **named)
        response.headers["Cache-Control"] = KEPT
        return response
