"""One Neo4j graph from many customers' daily SQL dumps, as Dagster software-defined assets."""

import os

__version__ = "0.2.0"

# numpy and scipy start threads of OpenBLAS in each process. Before they sleep, these would wait busily for 0.05 CPU s.
os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")
