"""A dump that is one text, from its first statement to its last."""

import codecs
import re
from collections.abc import Iterator

from recograph.ahead import ahead
from recograph.dumps.archives.parts import Content, Opening, Part, Wants
from recograph.dumps.archives.streams import Stream
from recograph.dumps.message import Name
from recograph.dumps.noise import without_colours
from recograph.dumps.report import DumpError


class Plain(Content):
    """SQL text; what isn't is refused with the option that would have made it readable."""

    form = "plain"

    def __init__(self, stream: Stream, opening: Opening):
        self._stream = stream
        self._opening = opening
        # A byte order mark, as PowerShell writes it, says nothing in UTF-8.
        self.head = stream.peek().removeprefix(codecs.BOM_UTF8)
        refuse_foreign(self.head, stream.name)

    def parts(self, _: Wants) -> Iterator[Part]:
        """See `Content.parts`: all of it is one."""
        yield Part(self._stream.name, ahead(self._chunks()))

    def _chunks(self) -> Iterator[bytes]:
        total = 0
        for chunk in self._opening.chunks(self._stream):
            if not total:
                chunk = chunk.removeprefix(codecs.BOM_UTF8)
            total += len(chunk)
            if total > self._opening.limits.total_bytes:
                raise DumpError(
                    "{dump}: more than {total_bytes} bytes of SQL. Raise the limit total_bytes if it is right.",
                    dump=Name(self._stream.name, whole=True),
                    total_bytes=self._opening.limits.total_bytes,
                )
            yield chunk


def refuse_foreign(head: bytes, name: str) -> None:
    """Refuse files that aren't SQL text, by their first bytes.

    Raises:
        DumpError: with what the file is and how to get a readable one.
    """
    if not head.strip():
        raise DumpError(
            "{dump}: the file is empty. The export may have failed; make it again.",
            dump=Name(name, whole=True),
        )
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DumpError(
            "{dump}: this text is UTF-16, as PowerShell's > writes it. Let the dump program write "
            "the file: mysqldump --result-file=FILE, pg_dump --file=FILE.",
            dump=Name(name, whole=True),
        )
    for magic, what in _FOREIGN.items():
        if head.startswith(magic):
            raise DumpError(
                "{dump}: this is {what}. Compress with gzip, zstd, xz, bzip2 or lz4.",
                dump=Name(name, whole=True),
                what=Name(what),
            )
    if _STREAM.match(head):
        raise DumpError(
            "{dump}: this is a stream of mydumper (--stream), many files in one. Let mydumper write a folder.",
            dump=Name(name, whole=True),
        )
    if head.lstrip().startswith(b"<?xml"):
        raise DumpError(
            "{dump}: this is XML, as mysqldump --xml writes it. Leave --xml away.",
            dump=Name(name, whole=True),
        )
    # Strings may hold any bytes, what stands before the first doesn't.
    before = without_colours(head[:4096].partition(b"'")[0])
    if any(byte < 32 and byte not in b"\t\n\r\f" for byte in before):
        raise DumpError(
            "{dump}: this is a binary file, not SQL text. A dump of mysqldump or pg_dump is needed.",
            dump=Name(name, whole=True),
        )


_STREAM = re.compile(rb"\s*-- (?:metadata\S*|\S+\.sql(?:\.\w+)?) \d+\n")
_FOREIGN = {
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!\x1a\x07": "a RAR archive",
    b"\x1f\x9d": "compressed by compress (.Z)",
    b"\x02\x21\x4c\x18": "lz4's old format (lz4 -l)",
    b"LZIP": "compressed by lzip",
    b"\x89LZO": "compressed by lzop",
    b"\xff\x06\x00\x00sNaPpY": "compressed by snappy",
    b"Salted__": "encrypted by openssl",
    b"age-encryption.org": "encrypted by age",
    b"-----BEGIN PGP MESSAGE": "encrypted by PGP",
}
