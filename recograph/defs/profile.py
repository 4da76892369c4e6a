"""Profiles of the graph's sets as metadata: sample rows, degrees, and where to look in Neo4j Browser."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from recograph.graph.model import GraphSet

if TYPE_CHECKING:
    import neo4j


def profile_metadata(
    driver: "neo4j.Driver", browser: str | None, graph_set: GraphSet, customer: str
) -> dict[str, dg.MetadataValue]:
    """What the UI shows of a customer's part of a set beside the counts.

    Args:
        driver: of the server.
        browser: address of Neo4j Browser, if it is known.
        graph_set: the set.
        customer: id of the customer.

    Raises:
        RecographError: Neo4j fails.
    """
    # Here for the reason that Neo4jResource.driver gives.
    from recograph.graph.profile import browser_link, profile

    found = profile(driver, graph_set, customer)
    entries: dict[str, dg.MetadataValue] = {}
    if found.sample:
        entries["sample"] = dg.MetadataValue.md(_table([_flat(row) for row in found.sample]))
    if found.degrees:
        rows = [vars(each) | {"mean": f"{each.mean:.2f}"} for each in found.degrees]
        entries["degrees"] = dg.MetadataValue.md(_table(rows))
        for each in found.degrees:
            name = f"degree_{each.label.lower().replace(' (incoming)', '_incoming')}"
            entries |= {
                f"{name}_mean": dg.MetadataValue.float(round(each.mean, 4)),
                f"{name}_most": dg.MetadataValue.int(each.most),
            }
    if browser:
        entries["browser"] = dg.MetadataValue.url(browser_link(browser, graph_set, customer))
    return entries


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """Ids first, then properties, each in alphabetical order: the server gives them in none."""
    return dict(sorted((key, value) for key, value in row.items() if key != "properties")) | dict(
        sorted(row.get("properties", {}).items())
    )


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as Markdown, under all of their keys."""
    keys = list(dict.fromkeys(key for row in rows for key in row))
    lines = [[str(row.get(key, "")).replace("|", "\\|").replace("\n", " ") for key in keys] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in (keys, ["---"] * len(keys), *lines))
