"""Plants every fault of `table.toml` in a copy of the repository and wants the test that it names to fail.

    python -m recograph_tests.faults            # all of them
    python -m recograph_tests.faults 2/8        # the second of eight parts, for a CI that takes turns
    python -m recograph_tests.faults quick      # those that CI tries each time
    python -m recograph_tests.faults guard      # those whose test, file or promise has the word
    python -m recograph_tests.faults sound      # plants nothing, and wants each test to pass alone

A promise of README and docs is worth what its test is worth: one that still passes with the fault is no test of it, nor
is one that fails without.
"""

import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from recograph_tests.faults.planting import Copy, Fault, read_table, warm_processes

_WORKERS = 2


def chosen(faults: list[Fault], wish: str) -> list[Fault]:
    """Those of a part, such as 2/8, the quick ones, or those with a word in them."""
    part, slash, parts = wish.partition("/")
    if slash and part.isdigit() and parts.isdigit():
        return faults[int(part) - 1 :: int(parts)]
    if wish == "quick":
        return [fault for fault in faults if fault.quick]
    return [fault for fault in faults if wish in f"{fault.file} {fault.test} {fault.promise}"]


def main(arguments: Sequence[str]) -> int:
    """Try all faults, or those asked for; returns how many weren't noticed, or of how many the test fails anyway."""
    faults = read_table()
    is_sound = "sound" in arguments
    for wish in arguments:
        faults = faults if wish == "sound" else chosen(faults, wish)
    if is_sound:
        faults = list({fault.test: fault for fault in faults}.values())
    if not faults:
        sys.exit(f"No fault has {' '.join(arguments)!r} in it.")
    right = "passes" if is_sound else "noticed"
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="recograph-faults-") as name:
        processes = warm_processes()
        copies = [Copy(Path(name) / str(number), processes) for number in range(min(_WORKERS, len(faults)))]
        free: SimpleQueue[Copy] = SimpleQueue()
        for copy in copies:
            free.put(copy)

        def tried(fault: Fault) -> bool:
            copy, began = free.get(), time.monotonic()
            try:
                problem = copy.passes(fault) if is_sound else copy.notices(fault)
            finally:
                free.put(copy)
            told = f"NOT {right.upper()}: {fault.test}: {problem}" if problem else right
            print(f"{fault.promise}\n    {fault.file}: {told} ({time.monotonic() - began:.0f} s)", flush=True)
            return problem is None

        try:
            with ThreadPoolExecutor(_WORKERS) as pool:
                noticed = list(pool.map(tried, faults))
        finally:
            from recograph.adapters.neo4j import ManagedServer  # not before: processes are forked from this one

            for copy in copies:
                ManagedServer(copy.neo4j).stop()
    seconds = time.monotonic() - started
    wrong = noticed.count(False)
    print(f"{len(noticed)} faults in {seconds:.0f} s: {len(noticed) - wrong} {right}, {wrong} not.")
    return wrong


if __name__ == "__main__":
    sys.exit(min(main(sys.argv[1:]), 1))
