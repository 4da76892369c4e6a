"""Faults that are planted on purpose, one line each, and the test that must notice each of them."""
