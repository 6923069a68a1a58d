"""Make the pictures of the README again: python -m tests.tour."""
