"""Tables as Moodle's `install.xml` declare them in several of its versions, and the SQL that Moodle makes of them.

`schemas.txt` has the facts, one column per line, with the versions that have it: `[2.8-3.9]` is from 2.8 to 3.9, and
nothing is all of them. They are read from the releases' own files by

    python -m recograph_tests.platforms.moodle.install_xml 2.8=FOLDER 3.3=FOLDER ... > schemas.txt

where each folder is the source code of that version, with plugins in it. Of a column there are name, XMLDB type,
length, `!` for NOT NULL and the default; of tables those that the contracts name, and that of labels.
"""

import re
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from recograph.platforms.moodle.contracts import CONTRACTS

TABLES = (*CONTRACTS, "label")
FACTS = Path(__file__).with_name("schemas.txt")
_LINE = re.compile(
    r"(?P<name>\w+) (?P<type>[a-z]+)(\((?P<length>[\d,]+)\))?(?P<required> !)?( = (?P<default>'.*?'))?"
    r"( \[(?P<first>[\d.]+)-(?P<last>[\d.]+)\])?"
)


@dataclass(frozen=True)
class XmldbColumn:
    """A column as XMLDB declares it."""

    name: str
    type: str
    """int, number, float, char, text or binary."""
    length: tuple[int, ...] = ()
    """Of numbers the digits, and how many of them are behind the point; of char the characters."""
    required: bool = False
    default: str | None = None

    def line(self) -> str:
        """As it stands in the facts."""
        length = f"({','.join(map(str, self.length))})" if self.length else ""
        default = "" if self.default is None else f" = '{self.default}'"
        return f"{self.name} {self.type}{length}{' !' if self.required else ''}{default}"

    def sample_type(self) -> str:
        """Its type as the declared tables of sample dumps have it, which know no MEDIUMINT and no LONGTEXT."""
        name = self._mysql_type().lower().replace("mediumint", "int").replace("longtext", "text")
        return name.split("(")[0] if self.type == "int" else name

    def sql(self, dialect: str) -> str:
        """Its definition in CREATE TABLE, as Moodle's generator for `mysql` or `postgresql` writes it."""
        type_ = self._mysql_type() if dialect == "mysql" else self._postgresql_type()
        # An empty text is the default of every char that must not be NULL.
        default = "" if self.default is None and self.required and self.type == "char" else self.default
        with_default = "" if default is None or self.type in ("text", "binary") else f" DEFAULT '{default}'"
        return f"{quoted(self.name, dialect)} {type_}{' NOT NULL' if self.required else ''}{with_default}"

    def _mysql_type(self) -> str:
        if self.type == "int":
            (digits,) = self.length
            names = ((9, "BIGINT"), (6, "INT"), (4, "MEDIUMINT"), (2, "SMALLINT"), (0, "TINYINT"))
            return f"{next(name for above, name in names if digits > above)}({digits})"
        lengths = f"({','.join(map(str, self.length))})" if self.length else ""
        types = {"number": "DECIMAL", "float": "DOUBLE", "char": "VARCHAR", "text": "LONGTEXT", "binary": "LONGBLOB"}
        return types[self.type] + lengths

    def _postgresql_type(self) -> str:
        if self.type == "int":
            (digits,) = self.length
            return "BIGINT" if digits > 9 else "INTEGER" if digits > 4 else "SMALLINT"
        lengths = f"({','.join(map(str, self.length))})" if self.type in ("number", "char") and self.length else ""
        types = {"number": "NUMERIC", "float": "DOUBLE PRECISION", "char": "VARCHAR", "text": "TEXT", "binary": "BYTEA"}
        return types[self.type] + lengths


Schema = dict[str, tuple[XmldbColumn, ...]]
"""The columns of a version's tables, by table."""


def quoted(name: str, dialect: str) -> str:
    """A name as the server takes it even where it is a word of SQL."""
    return f"`{name}`" if dialect == "mysql" else f'"{name}"'


def create(table: str, columns: tuple[XmldbColumn, ...], dialect: str) -> str:
    """The CREATE TABLE of a table under a name."""
    engine = " ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci" if dialect == "mysql" else ""
    lines = ",\n".join([*(column.sql(dialect) for column in columns), "PRIMARY KEY (id)"])
    return f"CREATE TABLE {quoted(table, dialect)} (\n{lines}\n){engine};\n"


@cache
def schemas() -> dict[str, Schema]:
    """The tables of every version, by version, the oldest first."""
    versions_line, *blocks = FACTS.read_text(encoding="utf-8").strip().split("\n\n")
    versions = versions_line.split()
    made: dict[str, Schema] = {version: {} for version in versions}
    for block in blocks:
        table, *lines = block.split("\n")
        for line in lines:
            declared = _LINE.fullmatch(line)
            assert declared, line
            length = tuple(int(number) for number in (declared["length"] or "").split(",") if number)
            default = None if declared["default"] is None else declared["default"][1:-1]
            column = XmldbColumn(declared["name"], declared["type"], length, bool(declared["required"]), default)
            first, last = declared["first"] or versions[0], declared["last"] or versions[-1]
            for version in versions[versions.index(first) : versions.index(last) + 1]:
                made[version][table] = (*made[version].get(table, ()), column)
    return made


def read(folder: Path) -> Schema:
    """The tables of one version from its source code."""
    tables: Schema = {}
    for path in sorted(folder.rglob("db/install.xml")):
        for table in ElementTree.parse(path).iter("TABLE"):
            if table.attrib["NAME"] in TABLES:
                tables[table.attrib["NAME"]] = tuple(_column(field.attrib) for field in table.iter("FIELD"))
    return tables


def _column(field: dict[str, str]) -> XmldbColumn:
    """A column from the attributes of its FIELD."""
    type_ = field["TYPE"]
    # The lengths of texts (small, medium, big) mean nothing since Moodle 2.3.
    numbers = [] if type_ in ("text", "binary") else [field.get("LENGTH"), field.get("DECIMALS")]
    length = tuple(int(number) for number in numbers if number)
    return XmldbColumn(field["NAME"], type_, length, field.get("NOTNULL") == "true", field.get("DEFAULT"))


def facts(versions: dict[str, Schema]) -> Iterator[str]:
    """The lines of `schemas.txt`."""
    names = list(versions)
    yield " ".join(names)
    for table in TABLES:
        having: dict[XmldbColumn, list[int]] = {}
        for at, schema in enumerate(versions.values()):
            for column in schema.get(table, ()):
                having.setdefault(column, []).append(at)
        if having:
            yield f"\n{table}"
        for column, places in having.items():
            assert places == list(range(places[0], places[-1] + 1)), (table, column, places)
            everywhere = len(places) == len(names)
            yield column.line() + ("" if everywhere else f" [{names[places[0]]}-{names[places[-1]]}]")


if __name__ == "__main__":
    folders = dict(argument.split("=", 1) for argument in sys.argv[1:])
    sys.stdout.writelines(f"{line}\n" for line in facts({version: read(Path(at)) for version, at in folders.items()}))
