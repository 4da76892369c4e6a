"""Measurements, one command each: ``python -m benchmarks.NAME``. What counts is the ratios within one run."""
