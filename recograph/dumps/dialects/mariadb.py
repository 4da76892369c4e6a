"""MariaDB's SQL: MySQL's, but mariadb-dump also writes the values of generated columns."""

from dataclasses import replace

from recograph.dumps.dialects.mysql import MYSQL

MARIADB = replace(MYSQL, name="mariadb", server="MariaDB", writes_generated=True)
