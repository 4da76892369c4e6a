"""Every command of README and docs does what the page says: it is run, in the order of the page."""

import gzip
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from recograph.adapters.neo4j import ManagedServer
from recograph.platforms.sample_dumps import generate
from recograph.settings import PROJECT_DIR
from recograph_tests.aws.processes import answers
from recograph_tests.dumps.servers import PostgreSQL
from recograph_tests.pipeline.installation import bare_environment

pytestmark = pytest.mark.docs

DOCS = PROJECT_DIR / "docs"
# Where the pages of the docs erase somebody, nothing follows that needs them.
PAGES = [PROJECT_DIR / "README.md", *sorted(DOCS.glob("*.md"), key=lambda page: page.name == "loading.md")]
ELSEWHERE = {
    r"make (run|test|lint|test-aws|test-docs|install)": "by .ci/run, and by each other",
    r"make (dev|faults|coverage|lint-sql)": "below, as `recograph dev`; and by hand",
    r"recograph serve": "by serve/test_server.py, since it goes on until it is stopped",
    r"ssh ": "nowhere: it needs another machine",
    r".*python -m benchmarks\.": "by hand, on a machine that does nothing else",
    r".*bin/pytest": "what runs this",
    r".*-m recograph_tests\.defs\.test_definitions": "by its own test, which fails where it would change something",
    r"git |uv pip compile": "by who changes the project",
    r"source|recograph --install-completion": "by cli/test_main.py, in a shell",
}
"""Lines that are run in another way, and how."""
ELSEWHERE_WHOLE = {
    r"make deploy|eval|aws ": "by the tests against a stand-in of AWS",
    r"export NEO4J": "by all tests that name the shared server",
    r"export DAGSTER_POSTGRES": "below, with a server",
    r"pip install": "by test_package.py, from the wheel",
}
"""The same of whole blocks."""
SMALLER = {"/tmp/large": "large", "--scale 10 --days 5": "--scale 0.1 --days 1 --customer customer_3"}
DUMP = """\
-- MariaDB dump 10.19  Distrib 10.11.6-MariaDB, for debian-linux-gnu (x86_64)
CREATE DATABASE `shop`;
USE `shop`;
CREATE TABLE `users` (`id` int(11) NOT NULL, `signed_up` datetime DEFAULT NULL);
INSERT INTO `users` VALUES (1,'2026-11-01 10:00:00');
-- Dump completed on 2026-11-04  4:00:00
"""


def commands(page: Path) -> Iterator[list[str]]:
    """The lines of each block that are run here."""
    for block in re.findall(r"^ *```sh\n(.*?)^ *```", page.read_text(), re.M | re.S):
        lines = [line.strip() for line in block.replace("\\\n", " ").splitlines() if line.strip()]
        here = [line for line in lines if not _any_matches(ELSEWHERE, line)]
        if here and not any(_any_matches(ELSEWHERE_WHOLE, line) for line in lines):
            yield here


def _any_matches(patterns: Iterable[str], line: str) -> bool:
    return any(re.match(pattern, line) for pattern in patterns)


BLOCKS = [(page.name, lines) for page in PAGES for lines in commands(page)]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder like the checkout's, with small sample data and the state that the pages suppose."""
    place = tmp_path_factory.mktemp("place")
    generate(place / "data", scale=0.2, days=3)
    for unused in ("customer_1", "customer_3"):
        shutil.rmtree(place / "data" / unused)
    with gzip.open(place / "dump.sql.gz", "wt") as file:
        file.write(DUMP)
    (place / "workspace.yaml").symlink_to(PROJECT_DIR / "workspace.yaml")
    try:
        ran = run(place, "recograph run")
        assert ran.returncode == 0, ran.stdout
        yield place
    finally:
        for home in (place / ".recograph", place / "large" / "home"):
            ManagedServer(home / "neo4j").stop()


def environment(place: Path) -> dict[str, str]:
    bare = bare_environment()
    return bare | {
        "PATH": f"{Path(sys.executable).parent}:{bare['PATH']}",
        "RECOGRAPH_DATA": str(place / "data"),
        "RECOGRAPH_HOME": str(place / ".recograph"),
    }


def run(place: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Run what somebody types, who says yes to questions."""
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f"exec < <(yes)\n{script}"],
        cwd=place,
        env=environment(place),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def add_customer(place: Path) -> None:
    """The steps of docs/extending.md that aren't commands."""
    (entry,) = re.findall(r"^ *```yaml\n(.*?customer_4.*?)^ *```", (DOCS / "extending.md").read_text(), re.M | re.S)
    listed = place / "data" / "customers.yaml"
    if "customer_4" not in listed.read_text():
        with listed.open("a") as file:
            file.write(textwrap.indent(textwrap.dedent(entry), "  "))
        (place / "data" / "customer_4").mkdir()
        dump = next((place / "data" / "customer_2").glob("*-01.sql.gz"))
        (place / "data" / "customer_4" / "2026-11-04.sql").write_bytes(gzip.decompress(dump.read_bytes()))


def test_the_pages_have_commands_to_run() -> None:
    assert {page for page, _ in BLOCKS} >= {"README.md", "dumps.md", "extending.md", "operating.md", "queries.md"}
    assert sum(len(lines) for _, lines in BLOCKS) > 30


@pytest.mark.parametrize(("page", "lines"), BLOCKS, ids=[f"{page}-{lines[0]}" for page, lines in BLOCKS])
def test_the_commands_do_what_the_page_says(place: Path, page: str, lines: list[str]) -> None:
    # Erasing ends with 3 where copies remain that are left to people, such as the dumps here.
    script = "\n".join(re.sub(r"^(recograph customer [^#]*)(#.*)?$", r"\1|| [ $? = 3 ]", line) for line in lines)
    for text, other in SMALLER.items():
        script = script.replace(text, other)
    if page == "extending.md":
        add_customer(place)
    ran = run(place, script)
    assert ran.returncode == 0, ran.stdout
    assert "Traceback" not in ran.stdout


def test_the_interface_starts_and_ends(place: Path) -> None:
    process = subprocess.Popen(
        ["recograph", "dev", "--port", "3100"],
        cwd=place,
        env=environment(place),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout
    address = next((line.split()[-1] for line in process.stdout if line.startswith("Dagster UI")), None)
    try:
        assert address, "it ended"
        deadline = time.monotonic() + 90
        while not answers(f"{address}/server_info", b"dagster_webserver_version"):
            assert time.monotonic() < deadline, "it doesn't answer"
            time.sleep(0.5)
    finally:
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    assert "Traceback" not in output


def test_runs_are_kept_in_postgresql(place: Path) -> None:
    page = (DOCS / "operating.md").read_text()
    (storage,) = re.findall(r"^```yaml\n(storage:.*?)^```", page, re.M | re.S)
    folder = Path(tempfile.mkdtemp(prefix="recograph-"))
    folder.chmod(0o755)
    server = PostgreSQL(folder)
    try:
        settings = place / ".recograph" / "dagster" / "dagster.yaml"
        before = settings.read_text()
        settings.write_text(before + storage)
        url = f"postgresql+psycopg2://postgres@/postgres?host={folder}"
        script = "recograph run --customer customer_2 --date 2026-11-03"
        ran = run(place, f"export DAGSTER_POSTGRES_URL='{url}'\n{script}")
        settings.write_text(before)
        assert ran.returncode == 0, ran.stdout
        assert int(server.run("select count(*) from runs")) == 1
    finally:
        server.process.terminate()
        server.process.wait(60)
        shutil.rmtree(folder)
