"""The graph: its declared model, loading a snapshot into it, checking it and erasing from it. No Dagster in here."""
