"""What is ours in the page before Streamlit draws anything: its head, its style, and its bar.

So nothing moves when the first elements are drawn, and keys work on every page. It is here, because
the middleware writes it into the page.
"""

import hashlib
import html
import json
import tomllib
from pathlib import Path

import streamlit as st

from core.ground import get_settings

_FOLDER = Path(__file__).parents[1] / "shell"
_SCRIPTS = (
    *("page.js", "address.js", "search.js", "keys.js", "beside.js", "files.js"),
    *("repairs.js", "pages.js", "fit.js"),
)
_SHEETS = ("frame.css", "bar.css")
_PROJECT = Path(__file__).parents[2] / "pyproject.toml"
# The style sheet of the fonts for Chinese, Japanese and Korean, below the base path. Its name
# changes with its content, because browsers keep it.
_CJK = next(Path(__file__).parents[1].glob("static/fonts/cjk/*.css"))
CJK_SHEET = f"app/static/fonts/cjk/{_CJK.name}"
VERSION = str(tomllib.loads(_PROJECT.read_text("utf-8"))["project"]["version"])
_FONT = "./app/static/fonts/inter-latin-3100e775.woff2"


def _read(name: str) -> str:
    return (_FOLDER / name).read_text("utf-8")


PAGE_SCRIPT = "\n".join(_read(f"js/{name}") for name in _SCRIPTS)
# Browsers keep it: its name changes with its content.
PAGE_SCRIPT_PATH = f"/static/js/desk.{hashlib.sha256(PAGE_SCRIPT.encode()).hexdigest()[:8]}.js"


def page_head() -> str:
    """Return the title, the font that every page needs, and the script."""
    return (
        f"<title>{html.escape(get_settings().app_name)}</title>"
        f'<link rel="preload" href="{_FONT}" as="font" type="font/woff2" crossorigin>'
        f'<script src=".{PAGE_SCRIPT_PATH}"></script>'
    )


def page_body() -> str:
    """Return the style and the bar. In the body, the style comes after that of Streamlit."""
    bar = _read("bar.html").replace("{version}", VERSION).replace("{sheet}", CJK_SHEET)
    bar = bar.replace("{name}", html.escape(get_settings().app_name))
    return f"<style>{''.join(map(_read, _SHEETS))}\n{_settings_style()}</style>{bar}"


def _settings_style() -> str:
    """Return the name and the colours of links as variables of the style."""
    # A CSS string escapes quotes as JSON does.
    name = json.dumps(get_settings().app_name, ensure_ascii=False).replace("<", "\\3c ")
    light, dark = map(st.get_option, ("theme.light.linkColor", "theme.dark.linkColor"))
    return f":root {{ --order-desk-name: {name}; --desk-link: light-dark({light}, {dark}); }}"
