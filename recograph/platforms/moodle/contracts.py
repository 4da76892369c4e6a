"""The contracted tables of Moodle, 2.8 to 5.x, by their names without the prefix.

Times are seconds since 1970, and 0 where there is none. Columns that say whether something is so are 0 or 1.
"""

import pyarrow as pa

from recograph.platforms.contract import Column, Contract

INTEGER = pa.int64()
TEXT = pa.string()

ACTIVITIES = {
    "assign": "An assignment",
    "assignment": "An assignment of before Moodle 2.3",
    "bigbluebuttonbn": "An online meeting",
    "book": "A book",
    "chat": "A chat",
    "choice": "A poll",
    "data": "A database that learners fill",
    "feedback": "A questionnaire",
    "folder": "A folder of files",
    "forum": "A forum",
    "glossary": "A glossary",
    "h5pactivity": "An interactive H5P package",
    "imscp": "An IMS content package",
    "lesson": "A lesson",
    "lti": "An external tool",
    "page": "A page",
    "quiz": "A quiz",
    "resource": "A file",
    "scorm": "A SCORM package",
    "survey": "A survey",
    "url": "A link",
    "wiki": "A wiki",
    "workshop": "A workshop",
}
"""The tables of Moodle's own activities, which name them. Labels, sections within sections and
question banks are missing: learners open none of them."""


def _required(name: str, description: str, type_: pa.DataType = INTEGER) -> Column:
    return Column(name, type_, description, required=True)


def _epoch(name: str, description: str) -> Column:
    return Column(name, INTEGER, description, epoch="s")


_USER = _required("userid", "Id of the user")

_TABLES = (
    Contract(
        "config",
        "The setting that says which user is the guest; no other leaves the dump",
        (_required("name", "Name of the setting", TEXT), Column("value", TEXT, "What it is set to")),
        key=("name",),
        optional=True,
        only=("name", "siteguest"),
    ),
    Contract(
        "user",
        "A user of the platform",
        (
            _required("id", "Id of the user"),
            _required("deleted", "Whether the user was deleted"),
            _required("suspended", "Whether the account is suspended"),
            _required("confirmed", "Whether the account was confirmed"),
            Column("lang", TEXT, "Code of the user's language, such as en or pt_br"),
            _epoch("timecreated", "When the account was made"),
        ),
        key=("id",),
        person="id",
    ),
    Contract(
        "role",
        "A role that users can have",
        (
            _required("id", "Id of the role"),
            Column("archetype", TEXT, "What kind of role it is, such as manager or student"),
        ),
        key=("id",),
    ),
    Contract(
        "role_assignments",
        "A user's role somewhere",
        (_required("roleid", "Id of the role"), _required("contextid", "Where the user has it"), _USER),
        person="userid",
    ),
    Contract(
        "context",
        "A place of the platform: the site, a category, a course, an activity, a user",
        (
            _required("id", "Id of the place"),
            _required("contextlevel", "What it is: 10 the site, 30 a user, 40 a category, 50 a course, 70 an activity"),
            _required("instanceid", "Id of what it is the place of"),
        ),
        key=("id",),
        person="instanceid",
        person_where=("contextlevel", 30),
    ),
    Contract(
        "course",
        "A course",
        (
            _required("id", "Id of the course"),
            Column("category", INTEGER, "Id of the course's category; 0 for the site itself"),
            _required("fullname", "Title of the course", TEXT),
            Column("format", TEXT, "How the course is laid out, such as topics or weeks; site for the site itself"),
            Column("visible", INTEGER, "Whether learners see the course"),
            Column("lang", TEXT, "Code of the language that the course is bound to, empty where it is to none"),
            _epoch("timecreated", "When the course was made"),
        ),
        key=("id",),
    ),
    Contract(
        "enrol",
        "A way into a course",
        (
            _required("id", "Id of the way"),
            _required("courseid", "Id of the course"),
            _required("status", "0 where it is open, 1 where it was closed for all who came by it"),
        ),
        key=("id",),
    ),
    Contract(
        "user_enrolments",
        "A user's enrolment by one of a course's ways in",
        (
            _required("enrolid", "Id of the way"),
            _USER,
            _required("status", "0 where it is active, 1 where it is suspended"),
            _epoch("timestart", "When it begins"),
            _epoch("timeend", "When it ends"),
            _epoch("timecreated", "When the user was enrolled"),
            _epoch("timemodified", "Last change of the row"),
        ),
        key=("enrolid", "userid"),
        person="userid",
    ),
    Contract(
        "user_lastaccess",
        "When a user was last in a course",
        (_USER, _required("courseid", "Id of the course"), _epoch("timeaccess", "When")),
        key=("userid", "courseid"),
        person="userid",
    ),
    Contract(
        "course_completions",
        "How far a user has got with a course",
        (
            _USER,
            _required("course", "Id of the course"),
            _epoch("timestarted", "When the user began"),
            _epoch("timecompleted", "When the user completed the course; NULL before"),
        ),
        key=("userid", "course"),
        person="userid",
    ),
    Contract(
        "modules",
        "A kind of activity, of Moodle itself or of a plugin",
        (_required("id", "Id of the kind"), _required("name", "Its name, which its table has too", TEXT)),
        key=("id",),
    ),
    Contract(
        "course_modules",
        "An activity in a course",
        (
            _required("id", "Id of the activity"),
            _required("course", "Id of the course"),
            _required("module", "Id of the kind of activity"),
            _required("instance", "Id in the kind's own table"),
            Column("added", INTEGER, "When the activity was added"),
            Column("deletioninprogress", INTEGER, "Whether it is being deleted; from Moodle 3.2 on", optional=True),
        ),
        key=("id",),
    ),
    *(
        Contract(
            table,
            description,
            (_required("id", "Id in this table"), Column("name", TEXT, "Title")),
            key=("id",),
            optional=True,
        )
        for table, description in ACTIVITIES.items()
    ),
    Contract(
        "files",
        "A stored file; only those of the activities that are files count",
        (
            _required("id", "Id of the file"),
            _required("contextid", "The place to which it belongs"),
            Column("component", TEXT, "What uses it, such as mod_resource"),
            Column("filearea", TEXT, "What for, such as content"),
            Column("mimetype", TEXT, "What kind of file it is"),
            Column("sortorder", INTEGER, "1 for the main one of several"),
        ),
        key=("id",),
    ),
    Contract(
        "logstore_standard_log",
        "An event; those that say that somebody viewed an activity count",
        (
            Column("eventname", TEXT, "What happened"),
            _required("contextinstanceid", "Id of where it happened, in what the event is about"),
            _USER,
            _epoch("timecreated", "When"),
        ),
        optional=True,
        person="userid",
    ),
    Contract(
        "course_modules_completion",
        "How far a user has got with an activity",
        (
            _required("coursemoduleid", "Id of the activity"),
            _USER,
            Column("viewed", INTEGER, "Whether the user viewed it; before Moodle 4.1", optional=True),
            _epoch("timemodified", "Last change of the row"),
        ),
        key=("coursemoduleid", "userid"),
        person="userid",
    ),
    Contract(
        "course_modules_viewed",
        "That a user viewed an activity; Moodle has it from 4.1 on",
        (
            _required("coursemoduleid", "Id of the activity"),
            _USER,
            _epoch("timecreated", "When"),
        ),
        optional=True,
        person="userid",
    ),
    Contract(
        "tool_courserating_rating",
        "A user's rating of a course, where the plugin tool_courserating is installed",
        (
            _required("courseid", "Id of the course"),
            _USER,
            Column("rating", pa.float64(), "1 to 5 stars"),
            _epoch("timemodified", "When the rating was given"),
        ),
        optional=True,
        person="userid",
    ),
)

CONTRACTS: dict[str, Contract] = {contract.table: contract for contract in _TABLES}
"""Every contracted table by name, in the order in which the UI lists them."""
