"""What sample dumps are made with unless one says otherwise; apart, so that saying it costs no start-up."""

from datetime import date

SEED = 7020
START = date(2026, 11, 1)
