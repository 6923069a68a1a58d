"""The user interface: pages, the grid, and the routes that serve rows and files."""
