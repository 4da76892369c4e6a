"""MariaDB's SQL: MySQL's, but mariadb-dump also writes the values of generated columns, and the history of rows."""

import re
from dataclasses import replace

from recograph.dumps.dialects import mysql
from recograph.dumps.dialects.mysql import MYSQL
from recograph.dumps.dialects.rules import Effect, Evidence, Settable, StatementKind, any_of

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
# As mariadb-dump --system=users writes them.
_ROLES = (
    StatementKind(r"SELECT COALESCE ?\(CURRENT_ROLE", Effect.NONE),
    StatementKind(r"EXECUTE IMMEDIATE\b", Effect.SETTING),
)
_IMMEDIATE = re.compile(rb"\s*EXECUTE\s+IMMEDIATE\b(?P<role>\s+CONCAT\('SET ROLE ', @current_role\)\s*$)?", re.I)
_HISTORY = re.compile(rb"\bSYSTEM_VERSIONING_INSERT_HISTORY\s*:?=\s*(\w*)", re.I)


def setting(session: Settable, text: bytes) -> None:
    """See `Dialect.setting`."""
    if (immediate := _IMMEDIATE.match(text)) and immediate["role"] is None:
        raise session.unread("EXECUTE IMMEDIATE")
    for match in _HISTORY.finditer(text):
        session.has_history = match[1].upper() in (b"1", b"ON", b"TRUE")
    mysql.setting(session, text)


MARIADB = replace(
    MYSQL,
    name="mariadb",
    server="MariaDB",
    evidence=_EVIDENCE,
    kinds=(*_ROLES, *MYSQL.kinds),
    setting=setting,
    writes_generated=True,
)
