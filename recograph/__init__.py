"""One Neo4j graph from many customers' daily SQL dumps, as Dagster software-defined assets."""

import os

__version__ = "0.2.0"

# OpenBLAS's threads, of which numpy and scipy start some in every process, else wait busily: 0.1 CPU s at each pause.
os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")
