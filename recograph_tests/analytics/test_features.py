"""What is known of items: the same in every process."""

import os
import subprocess
import sys

_PRINT = """
import numpy as np, pyarrow as pa
from recograph.analytics.interactions import features
titles = ["Data safety at work", "Safety of data", "Work and data", "At work"]
made = features(pa.table({"title": titles, "kind": ["a", "b", "a", "b"]}), np.array([1, 1, 2, 2]))
print(made.indices.tolist(), (made @ made.T).toarray().tobytes().hex())
"""


def test_hashes_of_a_process_make_no_difference() -> None:
    made = {
        subprocess.run(
            [sys.executable, "-c", _PRINT],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in (1, 2, 3)
    }
    assert len(made) == 1
