"""What stands between the dumps and the graph: interfaces, the layout of the lake, and landing; no engine's own."""
