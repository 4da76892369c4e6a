"""Which sets of the graph a statement looks at, so that whoever keeps its answer knows when it is out of date.

This is read from the statement's text, and names rather too many sets than too few: a relationship counts with the
labels at its ends, and a relationship without a type counts as all sets.
"""

import re
from functools import cache

from recograph.graph.model import ALL_SETS, NODE_SETS, GraphSet, NodeSet

_WORD = re.compile(r"\w+")
_COMMENT = re.compile(r"//[^\n]*")
_UNTYPED = re.compile(r"-\[[^\]:]*\]-|-->|<--|--\(|\)--")


@cache
def sets_read(cypher: str) -> frozenset[str]:
    """The names of the sets on which the answer to a statement can depend."""
    text = _COMMENT.sub("", cypher)
    if _UNTYPED.search(text):
        return frozenset(graph_set.name for graph_set in ALL_SETS)
    words = set(_WORD.findall(text))
    read: set[GraphSet] = set()
    for graph_set in ALL_SETS:
        if isinstance(graph_set, NodeSet):
            # A full-text search may get the name of its index in a parameter.
            if graph_set.label in words or (graph_set.fulltext_index and "fulltext" in words):
                read.add(graph_set)
        elif graph_set.type in words:
            read |= {graph_set, graph_set.start, graph_set.end}
    assert read or not words & {node.label for node in NODE_SETS}
    return frozenset(graph_set.name for graph_set in read)
