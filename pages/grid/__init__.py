"""The grid: the Streamlit page around it, the route for its rows, and its scripts."""
