from pathlib import Path

import pytest

from recograph.cli.dev import _lock
from recograph.errors import RecographError


def test_a_home_has_one_dev_at_a_time(tmp_path: Path) -> None:
    first = _lock(tmp_path)
    with pytest.raises(RecographError, match=r"is running for .* already, with its UI at an address to come"):
        _lock(tmp_path)
    first.write("http://127.0.0.1:3000")
    first.flush()
    with pytest.raises(RecographError, match=r"with its UI at http://127\.0\.0\.1:3000\. Use that, or stop it"):
        _lock(tmp_path)
    first.close()
    _lock(tmp_path).close()
