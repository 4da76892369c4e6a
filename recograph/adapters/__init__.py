"""What stands behind the interfaces, chosen in `environment`: one machine or AWS; dbt; Neo4j, the same everywhere."""
