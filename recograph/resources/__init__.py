"""What differs between one machine and AWS: the lake, the catalog and the warehouse; and Neo4j, the same everywhere."""
