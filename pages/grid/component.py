"""The component of the grid, registered at the start of the process."""

from st_aggrid.AgGrid import _component_func
from streamlit.runtime import get_instance


def register_grid() -> None:
    """Let this process answer for the grid's files, also before it has drawn a grid itself.

    Streamlit registers a component when a page imports it. But a page that another process drew
    may ask this one for the files.
    """
    get_instance().component_registry.register_component(_component_func)
