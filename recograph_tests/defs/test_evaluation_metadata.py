"""What the UI shows of an evaluation."""

import base64
import re
import xml.etree.ElementTree as ElementTree

from recograph.analytics.evaluation import WAYS, evaluate
from recograph.defs.evaluation_metadata import metadata
from recograph_tests.analytics.interactions import drawn, written


def test_bars_have_intervals_and_numbers_are_those_of_the_evaluation() -> None:
    scores = {"course": evaluate(drawn(200, 30)), "asset": evaluate(written([], []))}
    shown = metadata("customer_<1>", scores)
    markdown = str(shown["bars"].value)
    encoded = re.fullmatch(r"!\[.*\]\(data:image/svg\+xml;base64,(.*)\)", markdown)
    assert encoded
    picture = ElementTree.fromstring(base64.b64decode(encoded[1]))
    texts = [element.text or "" for element in picture.iter("{http://www.w3.org/2000/svg}text")]
    groups = [ways for ways in scores["course"].scores.values() if ways["recommender"].users]
    assert len(list(picture.iter("{http://www.w3.org/2000/svg}path"))) == len(groups) * len(WAYS)
    assert texts[0] == "customer_<1>: hit rate@10"
    best = scores["course"].scores["all"]["recommender"]
    assert f"{best.hit_rate.mean:.3f}" in texts
    assert shown["course_hit_rate_at_10_recommender"].value == round(best.hit_rate.mean, 4)
    assert f"{best.hit_rate.mean:.3f} ({best.hit_rate.low:.3f} to {best.hit_rate.high:.3f})" in str(
        shown["scores"].value
    )
    assert not [name for name in shown if name.startswith("asset")], "of nothing there is nothing to show"
