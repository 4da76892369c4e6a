"""Docebo-like learning platforms: which tables and columns may leave their dumps."""
