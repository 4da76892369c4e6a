"""Profiles of the graph's sets as metadata: sample rows, degrees, and where to look in Neo4j Browser."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from recograph.graph.model import NODE_SETS, RELATIONSHIP_SETS, GraphSet
from recograph.pictures import histogram, image, network, stacked_bars
from recograph.text import markdown

if TYPE_CHECKING:
    import neo4j

    from recograph.graph.report import SetReport

CHANGES = ("added", "changed", "removed")


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
    from recograph.graph.profile import browser_link, profile  # noqa: PLC0415 - loads neo4j, which only runs need

    set_profile = profile(driver, graph_set, customer)
    entries: dict[str, dg.MetadataValue] = {}
    if set_profile.sample:
        entries["sample"] = dg.MetadataValue.md(_table([_flat(row) for row in set_profile.sample]))
    if set_profile.degrees:
        names = ("label", "nodes", "mean", "median", "p90", "most")
        rows = [
            {name: getattr(degree, name) for name in names} | {"mean": f"{degree.mean:.2f}"}
            for degree in set_profile.degrees
        ]
        pictures = [
            f"**{markdown(degree.label)}**, nodes by how many they have:\n\n"
            + image(histogram(degree.distribution), f"histogram of {degree.label}")
            for degree in set_profile.degrees
        ]
        entries["degrees"] = dg.MetadataValue.md("\n\n".join([_table(rows), *pictures]))
        for degree in set_profile.degrees:
            name = f"degree_{degree.label.lower().replace(' (incoming)', '_incoming')}"
            entries |= {
                f"{name}_mean": dg.MetadataValue.float(round(degree.mean, 4)),
                f"{name}_most": dg.MetadataValue.int(degree.most),
            }
    if browser:
        link = browser_link(browser, graph_set, customer)
        entries["browser"] = dg.MetadataValue.md(f"[One of them, and what is around it]({link})")
    return entries


def model_picture() -> dg.MetadataValue:
    """The graph's model as a picture."""
    arrows = [
        (relationship_set.start.label, relationship_set.end.label, relationship_set.type)
        for relationship_set in RELATIONSHIP_SETS
    ]
    return dg.MetadataValue.md(image(network([node.label for node in NODE_SETS], arrows), "the labels of the graph"))


def counts_metadata(set_report: "SetReport") -> dict[str, dg.MetadataValue]:
    """What a load found and changed of a set, as the numbers that the UI plots over days."""
    counts = {
        "dagster/row_count": set_report.total,
        "rows_in_mart": set_report.rows,
        "added": set_report.added,
        "changed": set_report.changed,
        "removed": set_report.removed,
        "unchanged": set_report.unchanged,
        "dangling": set_report.dangling,
        "rows_per_second": round(set_report.rows_per_second),
    }
    texts = {"loaded_by": dg.MetadataValue.text(set_report.how)}
    return {**{name: dg.MetadataValue.int(count) for name, count in counts.items()}, **texts}


def changes_picture(days: Mapping[str, Sequence[int]]) -> dg.MetadataValue:
    """What days added, changed and removed, as stacked bars.

    Args:
        days: the three counts by date, in order.
    """
    bars = {date[5:]: counts for date, counts in days.items()}
    return dg.MetadataValue.md(image(stacked_bars(bars, CHANGES), "what each day added, changed and removed"))


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """Ids first, then properties, both in alphabetical order, because the server returns them in any order."""
    return dict(sorted((key, value) for key, value in row.items() if key != "properties")) | dict(
        sorted(row.get("properties", {}).items())
    )


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as Markdown, under all of their keys."""
    keys = list(dict.fromkeys(key for row in rows for key in row))
    # What people wrote may be Markdown, such as an image whose address does something when it is fetched.
    lines = [[markdown(str(row.get(key, ""))) for key in keys] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in (keys, ["---"] * len(keys), *lines))
