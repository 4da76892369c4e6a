"""What is measured over the marts beside the graph. No Dagster in it."""
