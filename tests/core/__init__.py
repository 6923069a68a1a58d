"""Tests of what the business knows and does, on both databases."""
