"""The contracted tables of the learning platform (a Docebo-like schema)."""

import pyarrow as pa

from recograph.platforms.contract import Column, Contract

INTEGER = pa.int64()
NUMBER = pa.float64()
TEXT = pa.string()
BOOLEAN = pa.bool_()
TIMESTAMP = pa.timestamp("us")


def _required(name: str, description: str, type_: pa.DataType = INTEGER) -> Column:
    return Column(name, type_, description, required=True)


def _epoch(name: str, description: str) -> Column:
    return Column(name, INTEGER, f"{description}, in epoch milliseconds", epoch="ms")


_TABLES = (
    Contract(
        "core_user",
        "A user of the platform",
        (
            _required("idst", "Id of the user"),
            _required("valid", "Whether the account is active", BOOLEAN),
            Column("can_manage_subordinates", BOOLEAN, "Whether the user manages a team"),
            Column("register_date", TIMESTAMP, "When the account was made, UTC"),
        ),
        key=("idst",),
        person="idst",
    ),
    Contract(
        "core_setting_user",
        "A setting of a user; path_name 'ui.language' holds the language",
        (
            _required("id_user", "Id of the user"),
            _required("path_name", "Name of the setting", TEXT),
            Column("value", TEXT, "Value of the setting"),
        ),
        key=("id_user", "path_name"),
        person="id_user",
    ),
    Contract(
        "learning_course",
        "A course",
        (
            _required("idCourse", "Id of the course"),
            _required("name", "Title of the course", TEXT),
            Column("idCategory", INTEGER, "Id of the course's category"),
            Column("course_type", TEXT, "elearning, classroom or webinar"),
            Column("difficult", TEXT, "Level of difficulty, such as medium or veryeasy"),
            Column("status", INTEGER, "Publication status"),
            Column("lang_code", TEXT, "Language that was declared for the course"),
            _epoch("create_date", "When the course was made"),
        ),
        key=("idCourse",),
    ),
    Contract(
        "learning_courseuser",
        "An enrolment of a user in a course; one per edition of the course",
        (
            _required("idUser", "Id of the user"),
            _required("idCourse", "Id of the course"),
            Column("status", INTEGER, "Status of the enrolment, -2 to 4"),
            _epoch("date_inscr", "When the user was enrolled"),
            _epoch("date_first_access", "First access"),
            _epoch("date_last_access", "Last access"),
            _epoch("date_complete", "When the course was completed"),
            _epoch("last_update", "Last change of the row"),
        ),
        person="idUser",
    ),
    Contract(
        "learning_course_rating_vote",
        "A user's rating of a course",
        (
            _required("idCourse", "Id of the course"),
            _required("idUser", "Id of the user"),
            Column("rating", NUMBER, "The rating"),
            _epoch("timestamp", "When the rating was given"),
        ),
        person="idUser",
    ),
    Contract(
        "app7020_content",
        "An asset: a video, a document, a link",
        (
            _required("id", "Id of the asset"),
            Column("title", TEXT, "Title of the asset"),
            Column("contentType", INTEGER, "Code of the kind of content"),
            Column("language", TEXT, "Language that was declared for the asset"),
            _epoch("created", "When the asset was made"),
        ),
        key=("id",),
        optional=True,
    ),
    Contract(
        "app7020_content_history",
        "A view of an asset by a user",
        (
            _required("idContent", "Id of the asset"),
            _required("idUser", "Id of the user"),
            _epoch("viewed", "When the asset was watched"),
        ),
        optional=True,
        person="idUser",
    ),
    Contract(
        "app7020_content_rating",
        "A user's rating of an asset",
        (
            _required("idContent", "Id of the asset"),
            _required("idUser", "Id of the user"),
            Column("rating", NUMBER, "The rating"),
        ),
        key=("idContent", "idUser"),
        optional=True,
        person="idUser",
    ),
)

CONTRACTS: dict[str, Contract] = {contract.table: contract for contract in _TABLES}
"""Every contracted table by name, in the order in which the UI lists them."""
