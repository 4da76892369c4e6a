"""What recograph runs on one machine in the place of a service: a Neo4j server, and dumps to try it with."""
