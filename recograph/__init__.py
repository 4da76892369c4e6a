"""recograph."""
