"""The stored tables."""
