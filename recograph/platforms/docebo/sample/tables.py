"""The tables of Docebo, with more columns than any contract lets through."""

from functools import partial

from recograph.sample_data.schema import read_table

_table = partial(read_table, __package__)

TABLES = (
    _table("app7020_content", ("id",), ("contentType",)),
    _table("app7020_content_history", ("id",), ("idContent",), ("idUser",)),
    _table("app7020_content_rating", ("idUser", "idContent"), ("idContent",)),
    _table("core_group", ("idst",)),
    _table("core_setting_user", ("id_user", "path_name")),
    _table("core_user", ("idst",), ("userid",), ("email",)),
    _table("learning_category", ("idCategory", "lang_code")),
    _table("learning_course", ("idCourse",), ("idCategory",)),
    _table("learning_course_rating_vote", ("id",), ("idCourse", "idUser")),
    _table("learning_courseuser", ("idUser", "idCourse", "edition_id"), ("idCourse",)),
)
"""Every table, in the order in which dumps have them: by name."""
