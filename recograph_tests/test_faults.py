"""Each planted fault finds its line and its test, so that `make faults` needn't run to tell that code was changed."""

import pytest

from recograph_tests.faults.__main__ import main
from recograph_tests.faults.planting import ROOT, Fault, read_table


@pytest.mark.parametrize("fault", read_table(), ids=lambda fault: fault.promise)
def test_a_fault_has_its_line_and_its_test(fault: Fault) -> None:
    text = (ROOT / fault.file).read_text()
    assert fault.planted(text) != text
    module, *test = fault.test.split("[")[0].split("::")
    assert all(f"def {name}(" in (ROOT / module).read_text() for name in test)


def test_a_word_that_no_fault_has_is_refused() -> None:
    with pytest.raises(SystemExit, match="No fault has 'quik' in it"):
        main(["quik"])
