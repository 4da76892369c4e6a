"""Step 4, graph: a customer's part of the Neo4j graph made equal to a day's marts."""
