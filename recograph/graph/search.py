"""Full-text search over the titles of courses and assets, for what people type.

People's words aren't Lucene's syntax: every run of letters and digits is a word, everything else only separates words,
so no text can be a wrong query. A title fits if it has one of the words, a word that begins with it, or one that is a
typing error away; the more words fit, and the more exactly, the higher it ranks. Accents and capitals don't matter,
because the indexes' analyzer drops them. The analyzer isn't made for one language: a customer's titles are in several
languages, and nothing says which title is in which. It keeps "d'anglais" and "dell'inglese" as one word, which those
that split such words don't do for titles in other languages; so words are looked for behind an apostrophe, too.
"""

import unicodedata
from collections.abc import Collection
from typing import Any

import neo4j

from recograph.errors import RecographError
from recograph.graph.model import NODE_SETS
from recograph.graph.queries import ask
from recograph.graph.reading import TIMEOUT, Answer, read, require_customer

LABELS = {node.label: node.fulltext_index for node in NODE_SETS if node.fulltext_index}
"""Labels that can be searched, with their indexes."""
LONGEST = 1000
"""Characters that a search may have."""
_MOST_WORDS = 32


_LEFT_OUT = """
a an and are as at be but by for if in into is it no not of on or such
that the their then there these they this to was will with
"""
STOP_WORDS = frozenset(_LEFT_OUT.split())
"""What the indexes' analyzer leaves out; no analyzer of Neo4j's drops accents and keeps these."""


def typed(text: str) -> dict[str, Any]:
    """What a person typed as parameters of `queries/search.cypher`.

    Raises:
        RecographError: there is no word in it, or it is too long.
    """
    words = _words(text)
    # Beside other words these say nothing; alone, as in "IT", they are all that there is to look for.
    return {"words": lucene(text), "dropped": words if STOP_WORDS.issuperset(words) else []}


def lucene(text: str) -> str:
    """The Lucene query for what a person typed.

    Raises:
        RecographError: there is no word in it, or it is too long.
    """
    return " ".join(map(_clause, _words(text)))


def _words(text: str) -> list[str]:
    if len(text) > LONGEST:
        raise RecographError(f"The search has {len(text):,} characters; {LONGEST:,} at most. Give a few words.")
    # In lower case, AND, OR and NOT are words like others. Marks (M) belong to the letters before them.
    kept = (char if unicodedata.category(char)[0] in "LMN" else " " for char in text.lower())
    words = list(dict.fromkeys("".join(kept).split()))[:_MOST_WORDS]
    if not words:
        raise RecographError(f"There is no word to search for in {text!r}. Give letters or digits.")
    return words


def _clause(word: str) -> str:
    """The word, and where it is long enough, its continuations and those a typing error, or two, away.

    Lucene analyzes only whole words; from the beginnings of words and inexact words the accents are removed here.
    """
    bare = "".join(_bare(char) for char in word)
    forms = [f"{word}^4"]
    if len(bare) > 1:
        # Behind any few letters and an apostrophe; a pattern of any length takes four times as long.
        forms += [f"{bare}*^2", f"/[^']{{1,7}}'{bare}.*/^2"]
    if len(bare) > 3:
        # Two errors at most count: with one of them any letter before the apostrophe is d.
        forms += [f"{bare}~{2 if len(bare) > 7 else 1}", f"d'{bare}~2^0.5"]
    return f"({' '.join(forms)})"


def _bare(char: str) -> str:
    base = unicodedata.normalize("NFKD", char)[0]
    return base if base.isascii() and base.isalnum() else char


def search(
    driver: neo4j.Driver,
    text: str,
    *,
    customer: str | None = None,
    labels: Collection[str] = (),
    limit: int = 20,
    timeout: float = TIMEOUT,
) -> Answer:
    """Find courses and assets by words of their titles, the best first.

    Args:
        driver: of the server.
        text: what to look for, in any form.
        customer: id of the customer whose titles are searched; None: all customers.
        labels: which of `LABELS` to search; empty: all.
        limit: the greatest number of rows.
        timeout: seconds after which the server gives up.

    Returns:
        Rows with the columns of `queries/search.cypher`.

    Raises:
        RecographError: the text has no word, or a label, the customer or the index isn't there, or the server fails.
    """
    if unknown := [label for label in labels if label not in LABELS]:
        raise RecographError(f"{unknown[0]!r} can't be searched. These can: {', '.join(LABELS)}.")
    indexes = list(dict.fromkeys(LABELS[label] for label in labels or LABELS))
    online = [row[0] for row in read(driver, "SHOW FULLTEXT INDEXES YIELD name, state WHERE state = 'ONLINE'").rows]
    if missing := [index for index in indexes if index not in online]:
        raise RecographError(f"The full-text index {missing[0]} isn't there. Load the graph with `recograph run`.")
    if customer is not None:
        require_customer(driver, customer)
    given = {"customer": customer, "indexes": indexes, "labels": list(labels or LABELS), "limit": limit}
    return ask(driver, "search", typed(text) | given, timeout=timeout)
