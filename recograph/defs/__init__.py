"""The Dagster objects, one module per step of the flow from dump to graph."""
