"""A Moodle of some version on a real server, filled with what the generator made for another one."""

from collections.abc import Iterator

from recograph.platforms.moodle.contracts import CONTRACTS
from recograph.platforms.moodle.sample.rows import TABLES
from recograph_tests.platforms.moodle.install_xml import create, quoted, schemas

Rows = dict[str, list[dict[str, object]]]
"""Landed rows by table."""


def lacks(version: str, table: str, column: str = "id") -> bool:
    """Whether a version hasn't a table, or a column of one."""
    return column not in {declared.name for declared in schemas()[version].get(table, ())}


def statements(version: str, dialect: str, made: str, prefix: str, tables: set[str]) -> Iterator[str]:
    """SQL that makes a version's tables and fills them.

    Args:
        version: Of Moodle.
        dialect: mysql or postgresql.
        made: What stands before the names of the generator's tables.
        prefix: What stands before the names of those that are made.
        tables: The tables that the generator has made.
    """
    for table, columns in schemas()[version].items():
        yield create(prefix + table, columns, dialect)
        if table in tables:
            known = {column.name for column in TABLES[table].columns}
            names = ", ".join(quoted(column.name, dialect) for column in columns if column.name in known)
            yield f"insert into {quoted(prefix + table, dialect)} ({names}) select {names} from {made}{table};\n"
    # What a version can't have: an activity of a kind that came later, or one whose deletion goes on.
    if lacks(version, "h5pactivity"):
        later = f"select id from {made}modules where name = 'h5pactivity'"
        yield f"delete from {prefix}course_modules where module in ({later});"
    if lacks(version, "course_modules", "deletioninprogress"):
        going = f"select id from {made}course_modules where deletioninprogress = 1"
        yield f"delete from {prefix}course_modules where id in ({going});"
    # Views of which a later version has a table of their own.
    if lacks(version, "course_modules_viewed"):
        yield f"delete from {prefix}course_modules_completion;"
        yield (
            f"insert into {prefix}course_modules_completion "
            "(id, coursemoduleid, userid, completionstate, viewed, timemodified) "
            f"select id, coursemoduleid, userid, 0, 1, timecreated from {made}course_modules_viewed;"
        )


def as_landed(version: str, made: Rows) -> Rows:
    """What landing a version's dump gives, of what landing the generator's own gives."""
    rows = {table: [dict(row) for row in of_table] for table, of_table in made.items()}
    for table in CONTRACTS:
        if lacks(version, table):
            rows[table] = []
    later = {row["id"] for row in made["modules"] if row["name"] == "h5pactivity"}
    if lacks(version, "h5pactivity"):
        rows["course_modules"] = [row for row in rows["course_modules"] if row["module"] not in later]
    if lacks(version, "course_modules", "deletioninprogress"):
        kept = [row for row in rows["course_modules"] if row["deletioninprogress"] == 0]
        rows["course_modules"] = [row | {"deletioninprogress": None} for row in kept]
    if lacks(version, "course_modules_viewed"):
        rows["course_modules_completion"] = [
            {
                "coursemoduleid": row["coursemoduleid"],
                "userid": row["userid"],
                "viewed": 1,
                "timemodified": row["timecreated"],
            }
            for row in made["course_modules_viewed"]
        ]
    return {table: sorted(of_table, key=str) for table, of_table in rows.items()}
