"""MariaDB's SQL: MySQL's, but mariadb-dump also writes the values of generated columns."""

from dataclasses import replace

from recograph.dumps.dialects.mysql import MYSQL
from recograph.dumps.dialects.rules import Evidence, any_of

_EVIDENCE = Evidence(
    titles=any_of(
        rb"^-- MariaDB dump ",
        rb"^/\*M!",
        rb"^-- Server version:?[ \t]+\S*MariaDB",
        rb"Source Server Type[ \t]*:[ \t]*MariaDB",
        rb"^-- Adminer [\d.]+\S* MariaDB",
    ),
    beside=MYSQL.name,
)

MARIADB = replace(MYSQL, name="mariadb", server="MariaDB", evidence=_EVIDENCE, writes_generated=True)
