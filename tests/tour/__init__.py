"""The README's pictures, made anew: python -m tests.tour."""
