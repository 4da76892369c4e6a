from collections.abc import Iterator

import neo4j
import pytest

from recograph.errors import RecographError
from recograph.graph.schema import _ANALYZER
from recograph.graph.search import STOP_WORDS, lucene, search
from recograph_tests.conftest import clear

TITLES = {"Étude d'anglais", "Data Science Basics", "Negotiation", "An Unused Course", "Café talk"}
HOSTILE = [
    '"unbalanced science',
    "science) OR (*:*",
    "title:science",
    "science AND NOT data",
    "[science TO data]",
    "{science",
    "sci/ence/ science",
    "science^99999999999999999999",
    "science~",
    "*science",
    "?science && || ! + - : \\",
    "science\\",
    "science'}) DETACH DELETE n //",
    "$words science $limit",
    "science `x`",
    "science\x00\x01\n\t\r",
    "science \U0001f393 \ud800",
    "NaN Infinity science OR",
    "science " + "x " * 400,
]


def titles(driver: neo4j.Driver, text: str, **options: object) -> list[str]:
    return [row["title"] for row in search(driver, text, customer="customer_1", **options).records()]  # type: ignore[arg-type]


def test_words_beginnings_and_typing_errors_find_titles(small: neo4j.Driver) -> None:
    for text in ("etude", "ÉTUDE", "étud", "etdue anglais"):
        assert titles(small, text) == ["Étude d'anglais"], text
    assert titles(small, "negotiaton") == ["Negotiation"]
    assert titles(small, "negotaton") == ["Negotiation"]  # two errors, in a long word
    assert titles(small, "baiscs") == ["Data Science Basics"]
    assert titles(small, "baiiccs") == []
    assert titles(small, "CAFE") == ["Café talk"]
    assert titles(small, "zebra") == []


@pytest.fixture
def elided(small: neo4j.Driver) -> Iterator[neo4j.Driver]:
    """Titles with apostrophes of both kinds, beside the small graph's."""
    names = ["Cours de l\u2019Élève", "Corso dell'inglese", "Qu'est-ce que l'IT", "O'Reilly"]
    rows = "UNWIND range(0, size($names) - 1) AS n "
    small.execute_query(
        f"{rows}CREATE (:Course {{customer_id: 'customer_1', id: 900 + n, name: $names[n]}})", names=names
    )
    yield small
    small.execute_query("MATCH (c:Course {customer_id: 'customer_1'}) WHERE c.id >= 900 DELETE c")


def test_words_behind_an_apostrophe_are_found_too(elided: neo4j.Driver) -> None:
    for text in ("anglais", "ANGL", "anglias", "d'anglais", "d\u2019anglais", "l'anglais"):
        assert titles(elided, text)[0] == "Étude d'anglais", text
    for text in ("élève", "eleve", "ÉLÈ", "elevs", "l'eleve"):
        assert titles(elided, text) == ["Cours de l\u2019Élève"], text
    for text in ("inglese", "ingl", "dell'inglese"):
        assert titles(elided, text) == ["Corso dell'inglese"], text
    assert titles(elided, "it") == ["Qu'est-ce que l'IT"]
    assert titles(elided, "reilly") == titles(elided, "oreilly") == ["O'Reilly"]


def test_words_that_the_indexes_leave_out_find_titles_too(small: neo4j.Driver) -> None:
    assert titles(small, "AN") == ["An Unused Course", "Étude d'anglais"]  # the word, then one that begins so
    assert titles(small, "in at") == ["Data Science in 5 minutes"]
    assert [row["id"] for row in search(small, "at").records()] == [10]
    assert titles(small, "an", labels=["Asset"]) == []
    assert titles(small, "an etude")[0] == "Étude d'anglais"
    analyzers = small.execute_query("CALL db.index.fulltext.listAvailableAnalyzers() YIELD analyzer, stopwords")
    assert {row["analyzer"]: set(row["stopwords"]) for row in analyzers.records}[_ANALYZER] == STOP_WORDS


def test_what_fits_better_comes_first(small: neo4j.Driver) -> None:
    assert titles(small, "data basics science")[0] == "Data Science Basics"
    assert set(titles(small, "data science")) == {"Data Science Basics", "Data Science in 5 minutes"}


def test_customer_label_and_limit(small: neo4j.Driver) -> None:
    hits = search(small, "science").records()
    assert {(row["customer"], row["kind"], row["id"]) for row in hits} == {
        ("customer_1", "Course", 11),
        ("customer_1", "Asset", 20),
        ("customer_2", "Course", 10),
    }
    assert [row["id"] for row in search(small, "science", customer="customer_2").records()] == [10]
    assert titles(small, "science", labels=["Asset"]) == ["Data Science in 5 minutes"]
    assert len(search(small, "science", limit=1).rows) == 1


@pytest.mark.parametrize("text", HOSTILE)
def test_syntax_is_only_text(small: neo4j.Driver, text: str) -> None:
    hits = titles(small, text)
    assert "Data Science Basics" in hits
    assert "Negotiation" not in hits


@pytest.mark.parametrize("text", ["", "   ", "*", "()", '""', "!?+-&|", "\ud800", "\U0001f393"])
def test_no_word_is_said(small: neo4j.Driver, text: str) -> None:
    with pytest.raises(RecographError, match="no word to search for"):
        search(small, text)


def test_what_is_wrong_is_said(small: neo4j.Driver) -> None:
    with pytest.raises(RecographError, match="1,000,000 characters; 1,000 at most"):
        search(small, "x" * 1_000_000)
    with pytest.raises(RecographError, match=r"'User' can't be searched\. These can: Course, Asset"):
        search(small, "x", labels=["User"])
    with pytest.raises(RecographError, match=r"no customer 'nobody'\. It has: customer_1, customer_2"):
        search(small, "x", customer="nobody")


def test_an_empty_server_is_told_from_an_empty_result(_neo4j_driver: neo4j.Driver) -> None:  # noqa: PT019
    clear(_neo4j_driver)
    with pytest.raises(RecographError, match=r"course_fulltext isn't there\. Load the graph"):
        search(_neo4j_driver, "science")


def test_marks_belong_to_their_letters() -> None:
    assert lucene("हिन्दी c#") == "(हिन्दी^4 हिन्दी*^2 /[^']{1,7}'हिन्दी.*/^2 हिन्दी~1 d'हिन्दी~2^0.5) (c^4)"
