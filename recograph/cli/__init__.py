"""The command line: one module per group of commands; errors are one line, never a traceback."""

from recograph.cli.main import app, main

__all__ = ["app", "main"]
