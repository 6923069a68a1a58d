"""Find the icons that are named anywhere in our code and in Streamlit's scripts."""

import re
from pathlib import Path

from streamlit.file_util import get_static_dir

from tests.docs import PROJECT

STREAMLIT = Path(get_static_dir())
ICON = re.compile(r":material/(\w+)")


def find_named_icons() -> set[str]:
    """Return the names, without `:material/`."""
    sources = [PROJECT / "app.py", *PROJECT.glob("pages/**/*.py"), *STREAMLIT.rglob("*.js")]
    return {name for path in sources for name in ICON.findall(path.read_text())}
