"""Which rules of a mart a partition breaks, in words: dbt itself only counts what its tests find."""

from collections.abc import Iterable, Mapping
from typing import Any

from recograph.lake.interfaces import Warehouse


def broken_rules(
    results: Iterable[Mapping[str, Any]], nodes: Mapping[str, Any], warehouse: Warehouse, customer: str, date: str
) -> dict[str, str]:
    """What each failed test found, by the test's name.

    Args:
        results: of dbt's run_results.json.
        nodes: of dbt's manifest.json.
        warehouse: which holds the partition.
        customer: whose partition it is.
        date: its snapshot date.

    Raises:
        RecographError: the partition can't be read.
    """
    broken = {}
    for result in results:
        test = nodes.get(result["unique_id"], {})
        if result["status"] != "fail" or test.get("test_metadata", {}).get("name") != "rules_hold":
            continue
        mart = nodes[test["attached_node"]]
        # dbt's own table may be one in memory that has gone with it.
        if relation := warehouse.partition(mart["name"], customer, date):
            rows = warehouse.query(result["compiled_code"].replace(mart["relation_name"], relation)).to_pylist()
            broken[test["name"]] = " ".join(_sentence(mart["name"], row) for row in rows)
    return broken


def _sentence(mart: str, row: Mapping[str, Any]) -> str:
    count, rule = row["broken_by"], row["broken_rule"]
    return f"{count:,} row{'s' * (count > 1)} of {mart} break{'s' * (count == 1)} the rule that {rule}."
