"""Order Desk as a person meets it: a real server, a real browser, a real database."""
