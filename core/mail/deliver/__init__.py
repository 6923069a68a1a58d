"""Sending what is queued, and recording what became of it."""
