"""What a person sees: pages, the grid, and the routes that give a page its rows and files."""
