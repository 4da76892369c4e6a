"""Which sets of the graph a statement looks at, so that whoever keeps its answer knows when it is out of date.

Told from the statement's text, on the safe side: a relationship brings the labels at its ends, and one without a type
everything.
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
        return frozenset(each.name for each in ALL_SETS)
    words = set(_WORD.findall(text))
    read: set[GraphSet] = set()
    for each in ALL_SETS:
        if isinstance(each, NodeSet):
            # The index is a parameter, perhaps.
            if each.label in words or (each.fulltext_index and "fulltext" in words):
                read.add(each)
        elif each.type in words:
            read |= {each, each.start, each.end}
    assert read or not words & {node.label for node in NODE_SETS}
    return frozenset(each.name for each in read)
