"""What nodes look like in Neo4j Browser: a colour and a caption per label, in GraSS, the Browser's style language."""

from recograph.graph.model import KEY, NODE_SETS, NodeSet
from recograph.pictures import colour

CAPTIONS = ("name", "title", "language_name")
"""Properties that people know a node by, in order of preference; a user has none, and is shown by id."""


def browser_style() -> str:
    """The whole style, as a file that Neo4j Browser takes."""
    rules = ['relationship {\n  color: #6b7280;\n  caption: "<type>";\n}']
    rules += [_rule(node_set, colour(at)) for at, node_set in enumerate(NODE_SETS)]
    return "\n\n".join(rules) + "\n"


def _rule(node_set: NodeSet, fill: str) -> str:
    names = {prop.name for prop in node_set.properties}
    caption = next((name for name in CAPTIONS if name in names), KEY)
    lines = (f"color: {fill}", f"border-color: {fill}", "text-color-internal: #ffffff", f'caption: "{{{caption}}}"')
    return f"node.{node_set.label} {{\n" + "".join(f"  {line};\n" for line in lines) + "}"
