"""What differs between one machine and AWS (the lake, the catalog, the warehouse), and Neo4j, the same everywhere."""
