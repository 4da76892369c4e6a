import re

from typer.testing import CliRunner

from recograph.cli.main import app
from recograph.graph.model import NODE_SETS


def test_browser_shows_each_label_in_a_colour_and_with_a_caption_of_its_own() -> None:
    printed = CliRunner().invoke(app, ["neo4j", "style"])
    assert printed.exit_code == 0
    rules = dict(re.findall(r"^node\.(\w+) \{\n(.*?)^\}", printed.stdout, re.M | re.S))
    assert list(rules) == [node_set.label for node_set in NODE_SETS]
    colours = [re.findall(r"^  color: (#[0-9a-f]{6});$", rule, re.M) for rule in rules.values()]
    assert len({tuple(colour) for colour in colours}) == len(NODE_SETS)
    for node_set in NODE_SETS:
        (caption,) = re.findall(r'caption: "\{(\w+)\}"', rules[node_set.label])
        assert caption in node_set.allowed
    assert 'caption: "{name}"' in rules["Course"]
    assert 'caption: "{id}"' in rules["User"]
