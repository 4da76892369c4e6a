"""The limits that docs/sharing.md names are those that hold."""

import pytest

from recograph.serve import asking, loads
from recograph.serve.access import SESSION_SECONDS
from recograph.serve.connections import HEAD_SECONDS
from recograph.serve.kept import STALE_SECONDS
from recograph.serve.loads import SEEN_SECONDS
from recograph.serve.look_ups import MOST_ROWS, TIMEOUT
from recograph.settings import PROJECT_DIR

WORDS: dict[float, str] = {4: "four", 8: "eight", 10: "ten", 12: "twelve", 30: "thirty"}


@pytest.mark.parametrize(
    "sentence",
    [
        f"read transactions that end after {TIMEOUT:.0f} s, with at most {MOST_ROWS:,} rows",
        f"{WORDS[asking._QUESTIONS_AT_ONCE]} questions at a time beside {WORDS[asking._LOOK_UPS_AT_ONCE]} look-ups",
        f"A connection that hasn't said within {HEAD_SECONDS:.0f} s what it wants is ended",
        f"kept answers are given for {WORDS[STALE_SECONDS // 60]} minutes",
        f"are logged in for {WORDS[SESSION_SECONDS // 3600]} hours",
        {1.0: "A load is seen within a second of its end"}[SEEN_SECONDS],
        f"that is found out within {WORDS[loads._PATIENCE]} seconds",
        f"an answer that is lost alone within {WORDS[TIMEOUT + asking._LOST_SECONDS]}",
        f"What a long load has changed before its end is seen every {WORDS[loads._UNDER_WAY_SECONDS]} seconds",
    ],
)
def test_the_docs_name_the_limits_that_hold(sentence: str) -> None:
    assert sentence in " ".join((PROJECT_DIR / "docs" / "sharing.md").read_text(encoding="utf-8").split())
