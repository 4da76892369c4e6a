"""In what versions of Moodle differ from 4.3, whose tables the sample dumps have: what `lib/db/install.xml` says."""

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Version:
    """A version's tables, as differences."""

    without_tables: tuple[str, ...] = ()
    without: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Columns that it hasn't, by table."""
    added: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Columns that it has besides, by table, as SQL that both servers understand."""

    def statements(self, prefix: str) -> Iterator[str]:
        """SQL that makes its tables of those of 4.3."""
        for table in self.without_tables:
            yield f"drop table {prefix}{table}"
        for table, columns in self.without.items():
            for column in columns:
                yield f"alter table {prefix}{table} drop column {column}"
        for table, columns in self.added.items():
            for column in columns:
                yield f"alter table {prefix}{table} add column {column}"


_OLD_USER = tuple(f"{name} varchar(50) not null default ''" for name in ("icq", "skype", "yahoo", "aim", "msn", "url"))
_NEW_COURSE = (
    *("relativedatesmode", "downloadcontent", "originalcourseid"),
    *("showactivitydates", "showcompletionconditions", "pdfexportfont"),
)
_VIEWED = ("viewed smallint default 1",)

VERSIONS = {
    "2.8": Version(
        ("course_modules_viewed", "h5pactivity", "tool_courserating_rating"),
        {
            "user": ("moodlenetprofile",),
            "context": ("locked",),
            "course": (*_NEW_COURSE, "enddate"),
            "course_modules": (
                *("completionpassgrade", "downloadcontent", "lang"),
                *("deletioninprogress", "visibleoncoursepage"),
            ),
            "course_modules_completion": ("overrideby",),
        },
        {"user": _OLD_USER, "course_modules_completion": _VIEWED},
    ),
    "3.3": Version(
        ("course_modules_viewed", "h5pactivity"),
        {
            "user": ("moodlenetprofile",),
            "context": ("locked",),
            "course": _NEW_COURSE,
            "course_modules": ("completionpassgrade", "downloadcontent", "lang"),
            "course_modules_completion": ("overrideby",),
        },
        {"user": _OLD_USER, "course_modules_completion": _VIEWED},
    ),
    "4.3": Version(),
    "5.0": Version(added={"assign": ("markinganonymous smallint not null default 0",)}),
}
