"""Everything about the grid: what is drawn, what the server answers, what the browser runs."""
