"""How Athena describes columns and writes values: always as text."""

import base64
import decimal
import re
from typing import Any

import trino.types

_PRECISIONS = {
    "tinyint": 3,
    "smallint": 5,
    "integer": 10,
    "bigint": 19,
    "double": 17,
    "float": 17,
    "varchar": 2_147_483_647,
    "timestamp": 3,
}


def describe(name: str, trino_type: str) -> dict[str, Any]:
    """Athena's ColumnInfo for a column of a Trino type."""
    kind = re.match(r"[a-z ]+", trino_type)[0].strip()  # type: ignore[index]
    kind = {"real": "float"}.get(kind, kind) + (" with time zone" if trino_type.endswith("with time zone") else "")
    numbers = [int(number) for number in re.findall(r"\d+", trino_type)]
    precision, scale = _PRECISIONS.get(kind, 0), 0
    if kind == "decimal":
        precision, scale = numbers
    elif kind in ("varchar", "char") and numbers:
        precision = numbers[0]
    return {
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": name,
        "Label": name,
        "Type": kind,
        "Precision": precision,
        "Scale": scale,
        "Nullable": "UNKNOWN",
        "CaseSensitive": "char" in kind,
    }


def write(value: Any, trino_type: str) -> str | None:
    """A value of a row as text, None for NULL."""
    if value is None:
        return None
    if trino_type == "varbinary":
        return _text(base64.b64decode(value))
    if re.match(r"timestamp\([0-2]\)", trino_type):  # Athena writes milliseconds at least
        return re.sub(r"(\d\d:\d\d:\d\d)\.?(\d*)", lambda m: f"{m[1]}.{m[2]:0<3}", value, count=1)
    return _text(value)


def _text(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case float():
            return _double(value)
        case trino.types.NamedRowTuple():
            names = [name or f"field{number}" for number, name in enumerate(value._names)]
            return "{" + ", ".join(f"{name}={_inner(part)}" for name, part in zip(names, value, strict=True)) + "}"
        case list() | tuple():
            return "[" + ", ".join(_inner(part) for part in value) + "]"
        case dict():
            return "{" + ", ".join(f"{_inner(key)}={_inner(part)}" for key, part in value.items()) + "}"
        case bytes():
            return value.hex(" ")
        case _:
            return str(value)


def _inner(value: Any) -> str:
    return "null" if value is None else _text(value)


def _double(value: float) -> str:
    """As Java writes it: 1.0E10 from ten million on and below a thousandth."""
    if value != value or value in (float("inf"), float("-inf")):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(value)
    sign, digits, exponent = decimal.Decimal(repr(value)).normalize().as_tuple()
    first, rest = str(digits[0]), "".join(map(str, digits[1:])) or "0"
    return f"{'-' if sign else ''}{first}.{rest}E{int(exponent) + len(digits) - 1}"
