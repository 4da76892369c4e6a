"""The Dagster objects, one module a step of the flow from dump to graph."""
