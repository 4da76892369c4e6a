"""Defaults of sample dumps; apart from the rest, so that the command line can show them without importing numpy."""

from datetime import date

SEED = 7020
START = date(2026, 11, 1)
