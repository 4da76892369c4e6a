"""A Moodle whose log has millions of rows: what landing it costs beside the rest, and what the warehouse makes of it.

`python -m benchmarks.moodle_log [ROWS]` writes a dump of one customer with so many rows in `logstore_standard_log`,
lands it, and reduces the views as the marts do.
"""

import argparse
import re
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import duckdb

from recograph.adapters.local.folder_inbox import LocalInbox
from recograph.adapters.local.folder_lake import LocalLake
from recograph.lake.inbox import dump_for
from recograph.lake.landing import land
from recograph.platforms.sample_dumps import generate, prepare

Result = TypeVar("Result")

DAY = "2026-11-01"
CUSTOMER = "academy_1"
VIEWS = """
    select userid, contextinstanceid, max(timecreated) as viewed
    from read_parquet('{log}')
    where eventname like '%course_module_viewed'
    group by 1, 2
"""


def main() -> None:
    """Measure, and print a line for each step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=int, nargs="?", default=5_000_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "data")
        customer = prepare(data, "moodle")[CUSTOMER]
        generate(data, scale=10, days=1, customers=[customer], compress=False)
        dump = data / CUSTOMER / f"{DAY}.sql"
        inbox, lake = LocalInbox(data), LocalLake(root=f"{folder}/lake", home=f"{folder}/home")
        _step("without more", lambda: land(inbox, lake, dump_for(inbox, CUSTOMER, DAY), customer))
        written = _more_rows(dump, rows)
        print(f"{written:,} rows in the log, {dump.stat().st_size / 1e9:.2f} GB")
        landed = _step("with the log", lambda: land(inbox, lake, dump_for(inbox, CUSTOMER, DAY), customer))
        log = landed.tables["logstore_standard_log"]
        print(f"the log as Parquet: {log.bytes / 1e6:.0f} MB")
        views = _step("views reduced", lambda: duckdb.execute(VIEWS.format(log=log.uri)).fetchall())
        print(f"{len(views):,} of them are left")
        print(f"memory at most: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:.0f} MB")


def _more_rows(dump: Path, rows: int) -> int:
    """Repeat the INSERT statements of the log until it has the rows."""
    text = dump.read_text()
    statements = re.findall(r"^INSERT INTO `mdl_logstore_standard_log` VALUES .*;\n", text, re.M)
    block = "".join(statements)
    count = block.count("),(") + len(statements)
    times = -(-rows // count)
    before, after = text.split(block)
    with dump.open("w") as file:
        file.write(before)
        for _ in range(times):
            file.write(block)
        file.write(after)
    return count * times


def _step(name: str, work: Callable[[], Result]) -> Result:
    began, cpu = time.monotonic(), time.process_time()
    result = work()
    print(f"{name}: {time.monotonic() - began:.1f} s, {time.process_time() - cpu:.1f} CPU s")
    return result


if __name__ == "__main__":
    main()
