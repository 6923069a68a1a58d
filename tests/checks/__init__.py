"""Tests of the checks themselves: each is given a fault to find."""
