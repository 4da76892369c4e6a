"""Columns of bare numbers, which are cut out and cast with fewer looks at them, are read as all others are."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recograph.dumps import DumpError, reading
from recograph_tests.dumps.reading import read

VALUES = [
    "1", "-1", "007", "1234", "NULL", "null", "+5", "12.0", "1e3", "0x1F", "0X1f", "'7'", "' 7'", "7/1", "1-2", "-",
    ".5", "NULL ", " 12",
    "b'1'", "0b11", "true", "nan", "'it''s'", "_binary '8'", "now()", "300", "99999999999999999999",
    "'nu\\'l'", "'null'", "x'41'", "'a'b'", "\t4\n",
]  # fmt: skip


def outcome(values: list[str], kind: str, dialect: str) -> str:
    rows = ",\n".join(f"({value},1)" for value in values)
    mysql = dialect == "mysql"
    ending = "-- Dump completed on 2026-01-01  0:00:00" if mysql else "--\n-- PostgreSQL database dump complete\n--"
    beginning = "-- MySQL dump 10.13  Distrib 8.0.36" if mysql else "--\n-- PostgreSQL database dump\n--"
    statements = f"CREATE TABLE t (a {kind}, b int);\nINSERT INTO t VALUES {rows};"
    try:
        return repr(read(f"{beginning}\n{statements}\n{ending}\n".encode()))
    except DumpError as error:
        return str(error)


def assert_alike(values: list[str], kind: str, dialect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fast = outcome(values, kind, dialect)
    with monkeypatch.context() as patch:
        patch.setattr(reading, "cut_numbers", lambda *_: None)
        assert fast == outcome(values, kind, dialect)


@pytest.mark.parametrize("dialect", ["mysql", "postgresql"])
@pytest.mark.parametrize("kind", ["smallint", "bigint", "double precision", "bit(3)", "text", "date"])
@pytest.mark.parametrize("value", VALUES)
def test_every_value_is_read_alike(value: str, kind: str, dialect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_alike(["1", "NULL", value], kind, dialect, monkeypatch)
    assert_alike([value], kind, dialect, monkeypatch)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.sampled_from(VALUES), min_size=1, max_size=5))
def test_any_column_is_read_alike(values: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert_alike(values, "int", "mysql", monkeypatch)
