"""What a partition costs, in CPU seconds of everything that a command starts: `python -m benchmarks.pipeline`.

CPU seconds hardly depend on who else uses the machine. The local Neo4j is started beforehand and isn't counted.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

RECOGRAPH = str(Path(sys.executable).with_name("recograph"))


def cpu_seconds(*arguments: str, environ: dict[str, str]) -> float:
    """What `recograph ARGUMENTS` takes, with all the processes that it waits for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ran = subprocess.run([RECOGRAPH, *arguments], env=environ, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if ran.returncode:
        sys.exit(f"recograph {' '.join(arguments)}:\n{ran.stdout}{ran.stderr}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure the rows of the table in README, on sample data of the given size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", default="1", help="of the sample data")
    scale = parser.parse_args().scale
    with tempfile.TemporaryDirectory() as folder:
        data, home = f"{folder}/data", f"{folder}/home"
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("RECOGRAPH_", "NEO4J_"))}
        environ |= {"RECOGRAPH_DATA": data, "RECOGRAPH_HOME": home}
        cpu_seconds("sample-data", "--scale", scale, "--days", "3", "--out", data, environ=environ)
        cpu_seconds("neo4j", "start", environ=environ)
        try:
            of_customer = ("run", "-c", "customer_2")
            first = cpu_seconds("run", environ=environ)
            forced = cpu_seconds("run", "--force", environ=environ)
            again = cpu_seconds("run", environ=environ)
            one = cpu_seconds(*of_customer, "-d", "2026-11-03", "--force", environ=environ)
            three = cpu_seconds(*of_customer, "--force", environ=environ)
            unchanged = cpu_seconds(*of_customer, "-d", "2026-11-03", environ=environ)
            helped = cpu_seconds("--help", environ=environ)
            searched = cpu_seconds("search", "planning", "-c", "customer_2", environ=environ)
            asked = cpu_seconds("query", "popular_courses", "--param", "customer=customer_2", environ=environ)
        finally:
            cpu_seconds("neo4j", "stop", environ=environ)
    rows = {
        "nine partitions, first time (dbt compiled, Dagster's tables made)": first,
        "nine partitions, all built again (--force)": forced,
        "nine partitions again, of which nothing has changed": again,
        "one partition (--force)": one,
        "each further day of the same customer": (three - one) / 2,
        "a partition of which nothing has changed": unchanged,
        "recograph --help": helped,
        "recograph search": searched,
        "recograph query": asked,
    }
    for name, seconds in rows.items():
        print(f"{name:70} {seconds:6.1f} CPU s")


if __name__ == "__main__":
    main()
