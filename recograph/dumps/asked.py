"""What of a dump is asked for: which tables, which of their columns, and as which types."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping

import pyarrow as pa


class Asked:
    """Knows what is asked for, by the names that who asks knows.

    Attributes:
        is_contract: whether columns and types are asked for, or whatever the tables have.
    """

    def __init__(
        self, schemas: Mapping[str, pa.Schema] | None, only: Collection[str] | None, as_text: Collection[str] = ()
    ):
        """See `DumpReader`, whose arguments these are."""
        self.is_contract = schemas is not None
        self._schemas = dict(schemas or {})
        self._folded = {name.casefold(): name for name in self._schemas}
        self._only = None if only is None else frozenset(only)
        asked = schemas if schemas is not None else only
        self._names = None if asked is None else frozenset(_endings(asked))
        self._as_text = frozenset(as_text)

    def may_be(self, name: str) -> bool:
        """Whether a table of this name, in whichever database or schema, may be asked for."""
        return self._names is None or name.casefold() in self._names

    def may_be_in(self, text: str) -> bool:
        """Whether a text may speak of a table that is asked for."""
        text = text.casefold()
        return self._names is None or any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) for name in self._names)

    def table(self, name: str, bare: str) -> str | None:
        """What a table is called by who asks for it; None where nobody does.

        Schemas answer to a table's name exactly or in another case, with or without its place.

        Args:
            name: its name, with its database or schema where that is told.
            bare: its own name.
        """
        if not self.is_contract:
            return name if self._only is None or name in self._only else None
        for candidate in (name, bare):
            if candidate in self._schemas:
                return candidate
        return self._folded.get(name.casefold()) or self._folded.get(bare.casefold())

    def schema(self, table: str) -> pa.Schema:
        """The columns that are asked for of a table, by the name that it is asked for by."""
        return self._schemas[table]

    def is_text(self, table: str, column: str) -> bool:
        """Whether a column is asked for as text."""
        return f"{table}.{column}" in self._as_text


def _endings(names: Iterable[str]) -> Iterator[str]:
    """Names with and without what stands before their dots, in one case."""
    for name in names:
        parts = name.casefold().split(".")
        yield from (".".join(parts[at:]) for at in range(len(parts)))
