"""Session settings that a dump makes, or that are declared for it, and that change how its rows are read."""

import codecs
import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa

from recograph.dumps.ddl import ColumnDef
from recograph.dumps.dialects import Dialect
from recograph.dumps.message import Name, Place
from recograph.dumps.report import DumpError

_OFFSET = re.compile(r"([+-])(\d{1,2}):(\d{2})")
_UTC = ("UTC", "GMT", "Etc/UTC", "Zulu")


@dataclass(frozen=True)
class Declared:
    """What the user says about a dump; it counts even where the dump itself says something else."""

    dialect: str | None = None
    """mysql, mariadb or postgresql."""
    encoding: str | None = None
    """The encoding of text: a character set of the server, or a codec of Python."""
    time_zone: str | None = None
    """The time zone of MySQL's TIMESTAMPs, where the dump doesn't say it, such as UTC, +02:00 or Europe/Rome."""


class Session:
    """The settings in force where the reader is.

    Attributes:
        encoding: of text.
        encoded_by_column: whether text comes in the character set of its column instead.
        backslash_escapes: whether a backslash escapes what follows it in strings.
        quoted_names: whether double quotes are of names, or of strings.
        time_zone: of moments that are in the session's, where the dump or who gave it says so.
        search_path: the schema (PostgreSQL) of tables that are named without one.
        client: see `recograph.dumps.dialects.rules.Settable`, as has_history, modes, zones and texts.
    """

    def __init__(self, name: str, dialect: Dialect, declared: Declared):
        self._name = name
        self._dialect = dialect
        self._declared_encoding = declared.encoding is not None
        self.encoding = "utf-8"
        self.encoded_by_column = False
        self.backslash_escapes = dialect.backslash_escapes
        self.quoted_names = dialect.schemas
        self._declared_zone = None if declared.time_zone is None else self._known_zone(declared.time_zone)
        self.time_zone = self._declared_zone
        self.search_path = "public"
        self.client: str | None = None
        self._forgotten_by: str | None = None
        self.has_history = False
        self.modes: dict[bytes, tuple[bool, bool]] = {}
        self.zones: dict[bytes, str | None] = {}
        self.texts: dict[bytes, list[bytes]] = {}
        if declared.encoding is not None:
            self.encoding = self._known_encoding(declared.encoding)

    def statement(self, text: bytes) -> None:
        """Take in a statement of settings.

        Raises:
            DumpError: it names a character set or a time zone that isn't known.
        """
        self._dialect.setting(self, text)
        if self._declared_encoding:
            self.encoded_by_column = False

    def encode(self, codec: str | None, name: str) -> None:
        """Take in that text is encoded by a codec, None where there is none for what the dump names.

        Raises:
            DumpError: there is none.
        """
        if self._declared_encoding:
            return
        if codec is None:
            raise DumpError(
                "{dump}: the dump's character set {name} can't be read. Make it with {option}.",
                dump=Place(self._name),
                name=Name(name),
                option=Name(self._dialect.options),
            )
        self.encoding = codec

    def forget(self, statement: str) -> None:
        """Take in that a statement makes settings what only the server knows: no rows may follow."""
        self._forgotten_by = statement

    def check_known(self) -> None:
        """Check that it is known how rows are to be read.

        Raises:
            DumpError: a statement made settings what only the server knows.
        """
        if self._forgotten_by is not None:
            raise self.unread(self._forgotten_by)

    def check_rows(self, place: Place, *, may_be_former: bool) -> None:
        """Check that rows are those that the server shows, in the encoding that the dump says last for all of it.

        Args:
            place: dump and table.
            may_be_former: whether rows as they once were are wanted too: all columns are, which tell them apart.

        Raises:
            DumpError: they hold former rows too, or their character set was set alone, and is another.
        """
        if self.has_history and not may_be_former:
            raise DumpError(
                "{place}: the dump holds rows as they once were, too. Make it without --dump-history.",
                place=place,
            )
        if self.client is None or self._declared_encoding or self._dialect.codec(self.client) == self.encoding:
            return
        raise DumpError(
            "{place}: the rows are in the character set {client} (SET character_set_client), but SET NAMES says "
            "another. Declare which holds, with --encoding or for a customer in customers.yaml.",
            place=place,
            client=Name(self.client),
        )

    def unknown(self, setting: str) -> DumpError:
        """That a setting, which changes how rows are read, has a value that isn't known."""
        return DumpError(
            "{dump}: the setting {setting}, by which strings are read, has a value that isn't known. Make the dump "
            "with the server's own program.",
            dump=Place(self._name),
            setting=Name(setting),
        )

    def unread(self, statement: str) -> DumpError:
        """That a statement may change rows in a way that isn't read."""
        return DumpError(
            "{dump}: the statement {statement} may change rows in a way that isn't read. Make the dump with the "
            "server's own program, which writes rows as they are.",
            dump=Place(self._name),
            statement=Name(statement),
        )

    def set_time_zone(self, name: str) -> None:
        """Take in the session's time zone; the server's own, SYSTEM, is known only where it is declared."""
        is_own = not name or name.upper() in ("SYSTEM", "DEFAULT")
        self.time_zone = self._declared_zone if is_own else self._known_zone(name)

    def _known_encoding(self, name: str) -> str:
        codec = self._dialect.codec(name.lower()) or self._dialect.codec(name)
        try:
            codec = codec or codecs.lookup(name).name
            if "'\\,;\n".encode(codec) == b"'\\,;\n":
                return codec
        except (LookupError, UnicodeError):
            pass
        raise DumpError(
            "{dump}: the encoding {name} isn't known, or isn't one that a whole dump can be in. "
            "Name one such as utf8, latin1 or cp1252.",
            dump=Place(self._name),
            name=Name(name),
        )

    def _known_zone(self, name: str) -> str:
        if match := _OFFSET.fullmatch(name):
            sign, hours, minutes = match.groups()
            return "UTC" if int(hours) == int(minutes) == 0 else f"{sign}{int(hours):02}:{minutes}"
        try:
            if name in _UTC or ZoneInfo(name).key:
                return "UTC" if name in _UTC else name
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass
        raise DumpError(
            "{dump}: the time zone {name} isn't known. Declare it as UTC, +02:00 or Europe/Rome.",
            dump=Place(self._name),
            name=Name(name),
        )

    def zone_of(self, column: ColumnDef) -> str | None:
        """The time zone that a column's moments are in, where the session decides it."""
        return self.time_zone if column.sql_type == self._dialect.local_type else None

    def adjusted(self, column: ColumnDef) -> pa.DataType:
        """A column's type, where it depends on the session: what is in a known time zone becomes UTC."""
        return pa.timestamp("us", "UTC") if self.zone_of(column) else column.type
