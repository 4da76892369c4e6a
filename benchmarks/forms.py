"""A dump of 300 tables of which 8 are wanted, which hold a twentieth of its bytes, in every form that can be had.

The plain dump must be read from its first byte to its last. An archive or a folder tells where the wanted tables are.
"""

import shutil
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from recograph.ahead import ahead
from recograph.dumps import DumpReader
from recograph_tests.dumps.servers import MariaDB, PostgreSQL

TABLES, WANTED, SHARE = 300, 8, 0.05
_ROW_BYTES = 130
_DATABASE = "forms"
SCHEMA = pa.schema(
    [("id", pa.int64()), ("at", pa.int64()), ("name", pa.string()), ("score", pa.float64()), ("valid", pa.bool_())]
)
Measure = Callable[[Callable[[Path, Path], None], Path, Path, int], tuple[float, float, float]]


def read_wanted(dump: Path, _: Path) -> None:
    """The wanted tables of a dump, typed."""
    schemas = {f"wanted_{number}": SCHEMA for number in range(WANTED)}
    with DumpReader(dump, schemas=schemas) as reader:
        rows = sum(batch.num_rows for _, batch in ahead(reader))
    assert rows == sum(report.rows for report in reader.tables.values()) > 0


def _tables(megabytes: float) -> dict[str, int]:
    """How many rows each table has; those that are wanted stand between the others."""
    rows = megabytes * 1e6 / _ROW_BYTES
    wanted, others = int(rows * SHARE / WANTED), int(rows * (1 - SHARE) / (TABLES - WANTED))
    every = TABLES // WANTED
    return {
        (f"wanted_{at // every}" if at % every == 0 and at // every < WANTED else f"other_{at}"): (
            wanted if at % every == 0 and at // every < WANTED else others
        )
        for at in range(TABLES)
    }


def _filled(series: str, kinds: dict[str, str], megabytes: float) -> str:
    """Statements that make and fill the tables."""
    name = "concat(md5(cast(i as char(20))), ' it''s ', md5(cast(i * 7 as char(20))))"
    columns = f"i, 1700000000000 + i * 1000, {name}, i / 3.0"
    statements = [f"create table data (id bigint, at bigint, name text, score {kinds['float']}, valid {kinds['bool']})"]
    most = max(_tables(megabytes).values())
    statements.append(f"insert into data select {columns}, i % 2 = 0 from {series.format(most)}")
    for name, rows in _tables(megabytes).items():
        statements.append(f"create table {name} as select * from data where id <= {rows}")
    return ";\n".join([*statements, "drop table data;"])


def _postgresql(folder: Path, out: Path, megabytes: float) -> dict[str, Path]:
    server = PostgreSQL(folder)
    try:
        kinds = {"float": "double precision", "bool": "boolean"}
        server.create(_filled("generate_series(1, {}) i", kinds, megabytes), database=_DATABASE)
        forms = {"pg_dump": "-Fp", "pg_dump -Fc": "-Fc", "pg_dump -Fd": "-Fd", "pg_dump -Ft": "-Ft"}
        for name, option in forms.items():
            server.dump(option, f"--file={out / name}", database=_DATABASE)
        return {name: out / name for name in forms}
    finally:
        server.process.terminate()
        server.process.wait(60)


def _mariadb(folder: Path, out: Path, megabytes: float) -> dict[str, Path]:
    server = MariaDB(folder, "--innodb-flush-log-at-trx-commit=0")
    try:
        kinds = {"float": "double", "bool": "tinyint(1)"}
        server.create(_filled("(select seq as i from seq_1_to_{}) s", kinds, megabytes), database=_DATABASE)
        with (out / "mariadb-dump").open("wb") as file:
            file.write(server.dump(database=_DATABASE))
        server.mydumper(out / "mydumper", database=_DATABASE)
        server.mydumper(out / "mydumper -c", "-c", database=_DATABASE)
        return {name: out / name for name in ("mariadb-dump", "mydumper", "mydumper -c")}
    finally:
        server.process.terminate()
        server.process.wait(60)


def _size(path: Path) -> float:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files) / 1e6


def compare_forms(megabytes: float, rounds: int, measure: Measure) -> None:
    """Measure every form in turns, and print medians: what it takes of one core, and how long who has two waits."""
    print(f"\n{TABLES} tables, {WANTED} wanted with {SHARE:.0%} of the bytes; x is how many times the plain dump's\n")
    print(f"{'form':20}{'MB':>7}{'1 core: CPU s':>15}{'x':>7}{'2 cores: s':>12}{'x':>7}{'peak MB':>9}")
    for make in (_postgresql, _mariadb):
        server_folder = Path(tempfile.mkdtemp(prefix="recograph-"))
        server_folder.chmod(0o755)
        out = Path(tempfile.mkdtemp(prefix="recograph-"))
        try:
            forms = make(server_folder, out, megabytes)
            costs: dict[str, list[tuple[float, float]]] = {name: [] for name in forms}
            peaks = dict.fromkeys(forms, 0.0)
            for _ in range(rounds):
                for name, path in forms.items():
                    (_, cpu, one), (seconds, _, two) = (measure(read_wanted, path, out, cores) for cores in (1, 2))
                    costs[name].append((cpu, seconds))
                    peaks[name] = max(peaks[name], one, two)
            medians = {
                name: [statistics.median(column) for column in zip(*cost, strict=True)] for name, cost in costs.items()
            }
            plain_cpu, plain_seconds = next(iter(medians.values()))
            for name, (cpu, seconds) in medians.items():
                line = f"{name:20}{_size(forms[name]):7.0f}{cpu:15.3f}{plain_cpu / cpu:7.1f}"
                print(f"{line}{seconds:12.3f}{plain_seconds / seconds:7.1f}{peaks[name]:9.0f}", flush=True)
        finally:
            shutil.rmtree(server_folder, ignore_errors=True)
            shutil.rmtree(out, ignore_errors=True)
