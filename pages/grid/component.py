"""The component of the grid, registered at the start of the process."""

import logging

from streamlit.runtime import get_instance

# It is loaded before any page, on purpose; Streamlit would warn of that at each start.
logging.getLogger("streamlit.runtime.scriptrunner_utils.script_run_context").setLevel(logging.ERROR)

from st_aggrid.AgGrid import _component_func  # noqa: E402  # Streamlit is silent by now


def register_grid() -> None:
    """Let this process answer for the grid's files, also before it has drawn a grid itself.

    Streamlit registers a component when a page imports it. But a page that another process drew
    may ask this one for the files.
    """
    get_instance().component_registry.register_component(_component_func)
