"""The benchmark (`make bench`) compares Order Desk with the plain `AgGrid(df)`."""
