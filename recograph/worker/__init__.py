"""The process that executes runs: ``python -m recograph.worker``."""
