"""Dumps in the text form of pg_dump 15."""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from typing import IO

from recograph.sample_data.literals import Literals, tuples
from recograph.sample_data.schema import Chunk, SampleColumn, SampleTable

_ESCAPES = str.maketrans({"\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"})
_LITERALS = Literals(null="\\N", false="f", true="t", quote="", escapes=_ESCAPES)
_TYPES = {
    "int": "integer",
    "tinyint": "smallint",
    "bool": "boolean",
    "double": "double precision",
    "datetime": "timestamp without time zone",
}
_KEYWORDS = {"timestamp"}
_OWNER = "lms"
_VERSION = "15.18 (Debian 15.18-0+deb12u1)"


class PgDump:
    """Writes one dump: header, then tables, then footer."""

    def __init__(self, out: IO[bytes], database: str, taken: datetime) -> None:
        self._out, self._tables = out, list[SampleTable]()
        # The real tool draws a fresh key each time, against statements smuggled in by the data.
        self._key = sha256(f"{database} {taken}".encode()).hexdigest()[:63]

    def _write(self, text: str) -> None:
        self._out.write(text.encode())

    def header(self) -> None:
        """Write what comes before the first table."""
        self._write(
            f"--\n-- PostgreSQL database dump\n--\n\n\\restrict {self._key}\n\n"
            f"-- Dumped from database version {_VERSION}\n-- Dumped by pg_dump version {_VERSION}\n\n"
            "SET statement_timeout = 0;\nSET lock_timeout = 0;\nSET idle_in_transaction_session_timeout = 0;\n"
            "SET client_encoding = 'UTF8';\nSET standard_conforming_strings = on;\n"
            "SELECT pg_catalog.set_config('search_path', '', false);\nSET check_function_bodies = false;\n"
            "SET xmloption = content;\nSET client_min_messages = warning;\nSET row_security = off;\n\n"
            "SET default_tablespace = '';\n\nSET default_table_access_method = heap;\n\n"
        )

    def define(self, tables: Iterable[SampleTable]) -> None:
        """Write the definitions of all tables, which come before any data."""
        for table in tables:
            self._tables.append(table)
            lines = ",\n".join(f"    {_column(column)}" for column in table.columns)
            self._entry(table.name, "TABLE", f"CREATE TABLE public.{table.name} (\n{lines}\n);\n")
            self._write(f"\n\nALTER TABLE public.{table.name} OWNER TO {_OWNER};\n\n")

    def table(self, table: SampleTable, chunks: Iterable[Chunk]) -> None:
        """Write a table's rows."""
        names = ", ".join(_name(column.name) for column in table.columns)
        self._entry(table.name, "TABLE DATA", f"COPY public.{table.name} ({names}) FROM stdin;\n")
        for chunk in chunks:
            self._write("".join(tuples(table.columns, chunk, _LITERALS, "", "\t", "\n")))
        self._write("\\.\n\n\n")

    def footer(self) -> None:
        """Write what comes after the last row: keys, indexes, and the end."""
        for table in self._tables:
            name = f"{table.name}_pkey"
            self._entry(
                f"{table.name} {name}",
                "CONSTRAINT",
                f"ALTER TABLE ONLY public.{table.name}\n    ADD CONSTRAINT {name} PRIMARY KEY "
                f"({_names(table.primary_key)});\n\n\n",
            )
        indexes = sorted((f"idx_{t.name}_{'_'.join(i)}".lower(), t.name, i) for t in self._tables for i in t.indexes)
        for name, table_name, columns in indexes:
            self._entry(
                name, "INDEX", f"CREATE INDEX {name} ON public.{table_name} USING btree ({_names(columns)});\n\n\n"
            )
        self._write(f"--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict {self._key}\n\n")

    def _entry(self, name: str, type_: str, text: str) -> None:
        schema, kind = "public", "Data for Name" if type_ == "TABLE DATA" else "Name"
        self._write(f"--\n-- {kind}: {name}; Type: {type_}; Schema: {schema}; Owner: {_OWNER}\n--\n\n{text}")


def _name(name: str) -> str:
    """A name as the real tool writes it: quoted where it isn't all lower-case or is a keyword."""
    return name if name == name.lower() and name not in _KEYWORDS else f'"{name}"'


def _names(columns: Iterable[str]) -> str:
    return ", ".join(map(_name, columns))


def _column(column: SampleColumn) -> str:
    type_ = _TYPES.get(column.type, column.type).replace("varchar(", "character varying(").replace("decimal", "numeric")
    default = ""
    if column.constant is not None and column.constant != "NULL":
        if column.type == "bool":
            default = " DEFAULT true" if column.constant == "1" else " DEFAULT false"
        elif column.constant.startswith("'"):
            default = f" DEFAULT {column.constant}::{type_.split('(')[0]}"
        else:
            default = f" DEFAULT {column.constant}"
    return f"{_name(column.name)} {type_}{default}{' NOT NULL' if column.required else ''}"
