"""Statements that arrange, drop and alter tables, as patterns."""

import re

from recograph.dumps.names import QUALIFIED

_ROOT, _PART = rb"(?P<root>%s)" % QUALIFIED, rb"(?P<part>%s)" % QUALIFIED
PARTITION = (
    re.compile(rb"\s*ALTER\s+TABLE\s+(?:ONLY\s+)?%s\s+ATTACH\s+PARTITION\s+%s" % (_ROOT, _PART), re.I),
    re.compile(rb"\s*CREATE\s+(?:UNLOGGED\s+|FOREIGN\s+)?TABLE\s+%s\s+PARTITION\s+OF\s+%s" % (_PART, _ROOT), re.I),
)
"""What makes a table a partition of another."""
INHERIT = re.compile(rb"\s*ALTER\s+TABLE\s+(?:ONLY\s+)?%s\s+INHERIT\s+%s\s*$" % (_PART, _ROOT), re.I)
"""What makes a table inherit from another."""
DROP = re.compile(
    rb"\s*(?:(?P<drop>DROP\s+(?:FOREIGN\s+|TEMPORARY\s+)?TABLES?)|TRUNCATE)\s+(?:TABLE\s+)?(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?"
    rb"(?P<tables>%s\s*\*?(?:\s*,\s*(?:ONLY\s+)?%s\s*\*?)*)(?P<rest>.*)" % (QUALIFIED, QUALIFIED),
    re.I | re.S,
)
"""What drops or empties tables."""
ALTER = re.compile(
    rb"\s*ALTER\s+(?:ONLINE\s+|IGNORE\s+)?(?:FOREIGN\s+)?TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?(?P<table>%s)\s*\*?\s+"
    % QUALIFIED,
    re.I,
)
"""What alters a table, up to the first action."""
HARMLESS = re.compile(
    rb"ADD\s+(?:CONSTRAINT|PRIMARY|UNIQUE|FULLTEXT|SPATIAL|VECTOR|KEY|INDEX|FOREIGN|CHECK|EXCLUDE|NOT\s+NULL)\b"
    rb"|MODIFY\b|(?:DIS|EN)ABLE\b|(?:NO\s+)?FORCE\b|AUTO_INCREMENT\b|ENGINE\b|COMMENT\b|CONVERT\s+TO\b|ROW_FORMAT\b"
    rb"|(?:DEFAULT\s+)?(?:CHARACTER\s+SET|CHARSET|COLLATE)\b|ORDER\s+BY\b|STATS_\w+|KEY_BLOCK_SIZE\b|OWNER\s+TO\b"
    rb"|DROP\s+(?:PRIMARY\s+KEY|INDEX|KEY|FOREIGN\s+KEY|CONSTRAINT|CHECK)\b|ALTER\s+(?:INDEX|CHECK|CONSTRAINT)\b"
    rb"|ALTER\s+(?:COLUMN\s+)?\S+\s+(?:SET\s+(?!DATA)|DROP\s+(?:DEFAULT|NOT\s+NULL|IDENTITY)|ADD\s+GENERATED|RESET)"
    rb"|CLUSTER\s+ON\b|SET\s+(?:WITHOUT|WITH\s+OIDS|LOGGED|UNLOGGED|ACCESS|TABLESPACE|\()|RESET\s*\(|REPLICA\s+IDENTITY\b"
    rb"|VALIDATE\s+CONSTRAINT\b|OPTIONS\b|ATTACH\s+PARTITION\b|OF\b|NOT\s+OF\b",
    re.I,
)
"""Actions that change neither rows nor which columns there are."""
