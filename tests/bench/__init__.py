"""The benchmark: `make bench` measures Order Desk side by side with the plain `AgGrid(df)`."""
