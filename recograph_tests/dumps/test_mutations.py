"""Whatever life does to a good dump: it gives the rows that it was made from, or is refused, and neither takes long."""

import pytest

from recograph_tests.dumps.mutations import outcomes


@pytest.mark.parametrize("seed", range(4))
def test_a_dump_to_which_something_was_done_gives_its_rows_or_is_refused(seed: int) -> None:
    tried = [outcome for _, outcome in outcomes(200, seed)]
    assert [outcome for outcome in tried if outcome.wrong] == []
    assert max(outcome.seconds for outcome in tried) < 5
    read = sum(outcome.was_read for outcome in tried)
    assert 40 < read < 160, "the mutations are too strong or too weak to show anything"
