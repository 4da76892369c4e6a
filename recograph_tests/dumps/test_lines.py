"""What the CSV reader reads of a COPY block is what the general way reads, errors included."""

from collections.abc import Callable

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recograph.dumps import DumpError, tables
from recograph.dumps.lines import DumpColumn, read_lines
from recograph_tests.dumps.reading import read

Read = Callable[..., object]
COLUMNS = {
    "i": ("integer", ["1", "-2147483648", "007", "+5", "12.0", "0x1F", "-0x1", "\\061", "x", ""]),
    "f": ("double precision", ["1.5", "1e-5", "NaN", "Infinity", "-Infinity", "0x10", "+2"]),
    "ts": ("timestamp", ["2024-01-01 00:00:00", "2024-01-01 10:11:12.5", "0044-03-15 00:00:00 BC", "infinity"]),
    "tz": ("timestamp with time zone", ["2024-01-01 00:00:00+00", "2024-01-01 00:00:00+05:30", "2024-01-01 00:00:00"]),
    "d": ("date", ["2024-02-29", " 2024-01-01", "2024-01-01 ", "10000-01-01"]),
    "b": ("boolean", ["t", "f", "true", "1", "maybe"]),
    "n": ("numeric(10,2)", ["1.25", "-0.10", "NaN", "12345678901.00"]),
    "t": (
        "text",
        ["", " a ", "\\t\\n\\\\", "\\N", "\\\\N", "N", '"quoted"', "'", "é😀", "0x", "\\x41", "a\rb"],
    ),
    "k": ("bytea", ["\\\\x00ff", "\\\\x", "\\\\000a", "x"]),
}


def dump_of(lines: list[str]) -> bytes:
    defined = ", ".join(f"{name} {kind}" for name, (kind, _) in COLUMNS.items())
    block = "".join(f"{line}\n" for line in lines)
    return (
        f"--\n-- PostgreSQL database dump\n--\nCREATE TABLE public.t ({defined});\n"
        f"COPY public.t ({', '.join(COLUMNS)}) FROM stdin;\n{block}\\.\n--\n-- PostgreSQL database dump complete\n--\n"
    ).encode()


def outcome(dump: bytes, **options: object) -> dict[str, pa.Table] | str:
    try:
        return read(dump, **options)
    except DumpError as error:
        return str(error)


def both(monkeypatch: pytest.MonkeyPatch, dump: bytes, **options: object) -> tuple[object, object]:
    """What is read with the CSV reader and without."""
    fast = outcome(dump, **options)
    with monkeypatch.context() as patch:
        patch.setattr(tables, "read_lines", lambda *_: None)
        return repr(fast), repr(outcome(dump, **options))


@pytest.mark.parametrize(("column", "value"), [(c, v) for c, (_, values) in COLUMNS.items() for v in values])
def test_every_value_is_read_alike(column: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = {name: values[0] for name, (_, values) in COLUMNS.items()}
    lines = ["\t".join({**plain, column: text}.values()) for text in (plain[column], "\\N", value)]
    fast, slow = both(monkeypatch, dump_of(lines))
    assert fast == slow


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(*(st.sampled_from(["\\N", *values]) for _, values in COLUMNS.values())), max_size=4))
def test_any_rows_are_read_alike(rows: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch) -> None:
    fast, slow = both(monkeypatch, dump_of(["\t".join(row) for row in rows]))
    assert fast == slow


@pytest.mark.parametrize("change", [lambda line: line + "\tmore", lambda line: line.rsplit("\t", 1)[0], lambda _: ""])
def test_a_row_of_another_shape_is_refused_alike(change: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    plain = "\t".join(values[0] for _, values in COLUMNS.values())
    fast, slow = both(monkeypatch, dump_of([plain, plain, change(plain), plain]))
    assert fast == slow
    assert "row 3" in str(fast)


def test_types_of_a_contract_are_read_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = "\t".join(values[0] for _, values in COLUMNS.values())
    for kind in (pa.int64(), pa.string(), pa.binary(), pa.timestamp("ms", "UTC"), pa.float32(), pa.bool_()):
        schema = pa.schema([pa.field(name, kind) for name in ("i", "f", "ts", "tz", "t")] + [pa.field("absent", kind)])
        for name in schema.names:
            wanted = pa.schema([schema.field(name), *(pa.field(text, pa.string()) for text in ("b", "n", "d", "t"))])
            fast, slow = both(monkeypatch, dump_of([plain] * 2), schemas={"t": wanted})
            assert fast == slow


def test_the_csv_reader_is_used_for_what_servers_write() -> None:
    data = b"1\ta\\tb\t2024-01-01 00:00:00\n\\N\t\\N\t\\N\n"
    kinds = [pa.int32(), pa.binary(), pa.timestamp("us")]
    arrays = read_lines(data, 0, len(data), 3, [DumpColumn(at, kind) for at, kind in enumerate(kinds)])
    assert arrays is not None
    assert [array.type for array in arrays] == kinds
    assert arrays[1].to_pylist() == [b"a\tb", None]
