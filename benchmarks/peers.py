"""Loads sets into Neo4j as users of graphio and neo4j-etl-lib do; runs in an environment that has these.

Called by `benchmarks.load` with address, user, password, sets.json and the name of the peer; prints the seconds.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import neo4j
import pyarrow.parquet as pq

BATCH_ROWS = 10_000


def with_graphio(uri: str, auth: tuple[str, str], sets: list[dict[str, Any]]) -> None:
    """MERGE of maps, by graphio's own sets."""
    from graphio import NodeSet, RelationshipSet

    with neo4j.GraphDatabase.driver(uri, auth=auth) as driver:
        for declared in sets:
            rows = pq.read_table(declared["file"]).to_pylist()
            owner = {"customer_id": declared["customer"]}
            keys = [owner if "customer_id" in names else {} for names in declared["keys"]]
            properties = [
                {new: row[old] for old, new in declared["properties"].items() if row[old] is not None} for row in rows
            ]
            if declared["type"] is None:
                nodes = NodeSet(declared["labels"], merge_keys=declared["keys"][0])
                for row, values in zip(rows, properties, strict=True):
                    nodes.add_node({**keys[0], "id": row["k"], **values})
                nodes.merge(driver, batch_size=BATCH_ROWS)
            else:
                start, end = declared["labels"]
                relationships = RelationshipSet(declared["type"], [start], [end], *declared["keys"])
                for row, values in zip(rows, properties, strict=True):
                    relationships.add_relationship({**keys[0], "id": row["s"]}, {**keys[1], "id": row["e"]}, values)
                relationships.merge(driver, batch_size=BATCH_ROWS)


def with_etl_lib(uri: str, auth: tuple[str, str], sets: list[dict[str, Any]]) -> None:
    """UNWIND and MERGE, by neo4j-etl-lib's task for Parquet files."""
    from etl_lib.core.ETLContext import ETLContext
    from etl_lib.task.data_loading.ParquetLoad2Neo4jTask import ParquetLoad2Neo4jTask

    class Load(ParquetLoad2Neo4jTask):  # type: ignore[misc]  # only an environment of its own has the class
        def __init__(self, context: Any, declared: dict[str, Any]) -> None:
            super().__init__(context, Path(declared["file"]), batch_size=BATCH_ROWS)
            self.declared = declared

        def _cypher_query(self) -> str:
            declared = self.declared
            columns = ["k"] if declared["type"] is None else ["s", "e"]
            matched = []
            for name, label, keys, column in zip("ab", declared["labels"], declared["keys"], columns, strict=False):
                owner = f"customer_id: '{declared['customer']}', " if "customer_id" in keys else ""
                matched.append(f"({name}:{label} {{{owner}id: row.{column}}})")
            which = "a" if declared["type"] is None else "r"
            values = ", ".join(f"{which}.{new} = row.{old}" for old, new in declared["properties"].items())
            setting = f" SET {values}" if values else ""
            if declared["type"] is None:
                return f"UNWIND $batch AS row MERGE {matched[0]}{setting}"
            ends = f"MATCH {matched[0]} MATCH {matched[1]}"
            return f"UNWIND $batch AS row {ends} MERGE (a)-[r:{declared['type']}]->(b){setting}"

    environment = {"NEO4J_URI": uri, "NEO4J_USERNAME": auth[0], "NEO4J_PASSWORD": auth[1], "NEO4J_DATABASE": "neo4j"}
    context = ETLContext(environment)
    for declared in sets:
        Load(context, declared).execute()


def main() -> None:
    """Load all sets, one after the other."""
    uri, username, password, described, peer = sys.argv[1:]
    sets = json.loads(Path(described).read_text())
    began = time.monotonic()
    {"graphio": with_graphio, "etl_lib": with_etl_lib}[peer](uri, (username, password), sets)
    print(time.monotonic() - began)


if __name__ == "__main__":
    main()
