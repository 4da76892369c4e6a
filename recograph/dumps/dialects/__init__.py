"""The SQL of each server whose dumps are read: one module per server, and how it is told which one wrote a dump."""

from recograph.dumps.dialects.mariadb import MARIADB
from recograph.dumps.dialects.mysql import MYSQL
from recograph.dumps.dialects.postgresql import POSTGRESQL
from recograph.dumps.dialects.rules import Dialect

DIALECTS: dict[str, Dialect] = {dialect.name: dialect for dialect in (MYSQL, MARIADB, POSTGRESQL)}
"""Every dialect that is read, by name."""

__all__ = ["DIALECTS", "MARIADB", "MYSQL", "POSTGRESQL", "Dialect"]
