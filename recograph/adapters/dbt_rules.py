"""Which rules of a mart a partition breaks, in words: dbt itself only counts what its tests find."""

from collections.abc import Mapping
from typing import Any

from recograph.adapters.dbt import NodeResult
from recograph.lake.interfaces import Warehouse


def found_by(result: NodeResult, warehouse: Warehouse, customer: str, date: str) -> str:
    """What is wrong with a node that failed, in words.

    Args:
        result: of the node.
        warehouse: which holds the partition.
        customer: whose partition it is.
        date: its snapshot date.

    Raises:
        RecographError: the partition can't be read.
    """
    rules = result.generic_test in ("rules_hold", "nothing_left_out") and result.status in ("fail", "warn")
    # dbt's own table may be one in memory that has gone with it.
    if rules and (relation := warehouse.partition(result.model, customer, date)):
        rows = warehouse.query(result.sql.replace(result.relation, relation)).to_pylist()
        return " ".join(_sentence(result.model, row) for row in rows)
    return f"{result.node}: {result.message or result.status}"


def _sentence(mart: str, row: Mapping[str, Any]) -> str:
    count, rule = row["broken_by"], row["broken_rule"]
    return f"{count:,} row{'s' * (count > 1)} of {mart} break{'s' * (count == 1)} the rule that {rule}."
