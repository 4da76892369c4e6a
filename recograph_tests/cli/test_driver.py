"""What commands that ask the graph don't load."""

import subprocess
import sys


def test_the_driver_comes_without_pandas_which_can_still_be_imported() -> None:
    code = (
        "import sys; from recograph.cli.driver import import_driver; import_driver(); "
        "print(sorted({'neo4j', 'numpy', 'pandas', 'pyarrow'} & set(sys.modules))); "
        "import pandas; print(pandas.DataFrame([[1]]).shape)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == ["['neo4j']", "(1, 1)"]
