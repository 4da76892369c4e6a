"""An evaluation of the recommender as metadata: the numbers that the UI plots, a table, and bars with intervals."""

import base64
from collections.abc import Iterator, Mapping
from html import escape
from typing import TYPE_CHECKING

import dagster as dg

if TYPE_CHECKING:
    from recograph.analytics.evaluation import Evaluation
    from recograph.analytics.scores import Interval, Score

_COLOURS = ("#2e6fdb", "#5aa469", "#e0a030", "#9a9a9a", "#b05fb0", "#50b0b8", "#c05050", "#705030")
_LABELS, _WIDTH, _ROW, _HEAD = 250, 420, 18, 30
"""Pixels: room for the words, for the bars, per bar, and above a group."""


def metadata(customer: str, evaluations: "Mapping[str, Evaluation]") -> dict[str, dg.MetadataValue]:
    """The numbers of each way for all users, all numbers as a table, and the hit rates as a picture."""
    from recograph.analytics.evaluation import ALL  # noqa: PLC0415 - loads scipy, which only runs need

    entries: dict[str, dg.MetadataValue] = {}
    for kind, evaluation in evaluations.items():
        for way, score in evaluation.scores[ALL].items():
            if not score.users:
                continue
            entries[f"{kind}_users"] = dg.MetadataValue.int(score.users)
            numbers = {
                "hit_rate_at_10": score.hit_rate.mean,
                "ndcg": score.ndcg.mean,
                "mrr": score.mrr.mean,
                "coverage": score.coverage,
                "novelty": score.novelty,
            }
            entries |= {
                f"{kind}_{name}_{way}": dg.MetadataValue.float(round(value, 4)) for name, value in numbers.items()
            }
    picture = base64.b64encode(bars(customer, evaluations).encode()).decode()
    shown = f"![Hit rate@10 of {customer}, with the intervals of 95%](data:image/svg+xml;base64,{picture})"
    return {"bars": dg.MetadataValue.md(shown), "scores": dg.MetadataValue.md(table(evaluations)), **entries}


def table(evaluations: "Mapping[str, Evaluation]") -> str:
    """All numbers in Markdown; in brackets the two between which 95 of 100 samples of as many users lie."""
    lines = [
        "| | users | hit rate@10 | NDCG@10 | MRR@10 | coverage | novelty (bits) |",
        "|---|--:|---|---|---|--:|--:|",
    ]
    for name, way, score in _rows(evaluations):
        means = " | ".join(_with_interval(value) for value in (score.hit_rate, score.ndcg, score.mrr))
        lines.append(f"| {name}: {way} | {score.users:,} | {means} | {score.coverage:.2f} | {score.novelty:.1f} |")
    return "\n".join(lines)


def bars(customer: str, evaluations: "Mapping[str, Evaluation]") -> str:
    """The hit rates as SVG: a bar per way, and on it the interval."""
    parts, y, last = [], 24, ""
    for name, way, score in _rows(evaluations):
        if name != last:
            y += _HEAD
            parts.append(f'<text x="8" y="{y - 6}" font-weight="bold">{escape(name)}, {score.users:,} users</text>')
            colours, last = iter(_COLOURS), name
        value, middle = score.hit_rate, y + _ROW / 2
        low, high = (_LABELS + _WIDTH * share for share in (value.low, value.high))
        parts.append(
            f'<text x="{_LABELS - 8}" y="{middle + 4}" text-anchor="end">{escape(way)}</text>'
            f'<rect x="{_LABELS}" y="{y + 2}" width="{_WIDTH * value.mean:.1f}" height="{_ROW - 4}" '
            f'fill="{next(colours)}"/>'
            f'<path d="M{low:.1f} {middle}H{high:.1f}M{low:.1f} {middle - 4}v8M{high:.1f} {middle - 4}v8" '
            'stroke="#222" fill="none"/>'
            f'<text x="{high + 6:.1f}" y="{middle + 4}">{value.mean:.3f}</text>'
        )
        y += _ROW
    width = _LABELS + _WIDTH + 60
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{y + 12}" font-family="sans-serif" '
        f'font-size="12"><rect width="100%" height="100%" fill="#fff"/>'
        f'<text x="8" y="20" font-size="14">{escape(customer)}: hit rate@10</text>{"".join(parts)}</svg>'
    )


def _rows(evaluations: "Mapping[str, Evaluation]") -> "Iterator[tuple[str, str, Score]]":
    """Kind and group of users, way, and score; groups of which nothing was hidden are left out."""
    for kind, evaluation in evaluations.items():
        for group, ways in evaluation.scores.items():
            for way, score in ways.items():
                if score.users:
                    yield f"{kind}s, {group}", way, score


def _with_interval(value: "Interval") -> str:
    return f"{value.mean:.3f} ({value.low:.3f} to {value.high:.3f})"
