"""One machine: a folder as the lake, DuckDB as the warehouse, and no catalog at all."""
