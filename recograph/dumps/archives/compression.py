"""Compressed bytes: told by content, decompressed as they stream by, each byte checked as far as the format allows.

Every member of a file is read, and the zero bytes that copying by blocks leaves behind it. Whatever else follows the
last member, and a member without an end, is refused. How much a block of input may become is bounded at each step, so
that a bomb is noticed before it takes memory.
"""

import bz2
import lzma
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, cast

import lz4.frame
import zstandard
from isal import isal_zlib

from recograph.dumps.archives.streams import BLOCK_BYTES, Stream
from recograph.dumps.archives.zstd_frame import TooFarBackError, ZstdFrame
from recograph.dumps.message import Name
from recograph.dumps.report import DumpError, Limits

_OUT_BYTES = 4 << 20
"""How much is decompressed in one go at most."""
_XZ_MEMORY = 256 << 20
"""What xz may take; its strongest preset takes a quarter of it."""
_SKIPPABLE = range(0x184D2A50, 0x184D2A60)
"""Magic numbers of frames that zstd and lz4 pass over."""


class _Member(Protocol):
    """One member of a file while it is decompressed."""

    @property
    def ended(self) -> bool:
        """Whether its end was reached."""

    @property
    def left(self) -> bytes:
        """Input behind its end."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What more input becomes, in pieces of bounded size."""


class _Library:
    """A member by a decompressor that bounds its output and keeps the input that it couldn't use yet."""

    def __init__(self, decompressor: Any):
        self._decompressor = decompressor

    @property
    def ended(self) -> bool:
        return bool(self._decompressor.eof)

    @property
    def left(self) -> bytes:
        return self._decompressor.unused_data or b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        yield self._decompressor.decompress(data, _OUT_BYTES)
        while not self.ended and not self._decompressor.needs_input:
            piece = self._decompressor.decompress(b"", _OUT_BYTES)
            if not piece and not self.ended:
                return
            yield piece


class _Gzip:
    """A member of gzip, or of zlib as pg_dump writes it, with its check sum and length; isal halves zlib's time."""

    def __init__(self) -> None:
        self._decompressor = isal_zlib.decompressobj(32 + isal_zlib.MAX_WBITS)

    @property
    def ended(self) -> bool:
        return self._decompressor.eof

    @property
    def left(self) -> bytes:
        return self._decompressor.unused_data

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data and not self.ended:
            piece = self._decompressor.decompress(data, _OUT_BYTES)
            data = self._decompressor.unconsumed_tail
            yield piece
        while not self.ended and (piece := self._decompressor.decompress(b"", _OUT_BYTES)):
            yield piece


@dataclass(frozen=True)
class Codec:
    """A way of compressing."""

    name: str
    magic: bytes
    member: Callable[[Limits], _Member]
    errors: tuple[type[Exception], ...]


_ZSTD = Codec("zstd", b"\x28\xb5\x2f\xfd", lambda limits: ZstdFrame(limits.window_bytes), (zstandard.ZstdError,))
CODECS = (
    # isal's stubs call its exception an instance.
    Codec("gzip", b"\x1f\x8b", lambda _: _Gzip(), (cast(type[Exception], isal_zlib.error),)),
    Codec("bzip2", b"BZh", lambda _: _Library(bz2.BZ2Decompressor()), (OSError, ValueError)),
    Codec(
        "xz",
        b"\xfd7zXZ\x00",
        lambda _: _Library(lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)),
        (lzma.LZMAError,),
    ),
    _ZSTD,
    Codec("lz4", b"\x04\x22\x4d\x18", lambda _: _Library(lz4.frame.LZ4FrameDecompressor()), (RuntimeError,)),
)
"""Every compression that is read; another one is one entry."""


def codec_of(head: bytes) -> Codec | None:
    """The codec that a file's first bytes show, behind frames that are to be skipped; None where there is none.

    A first frame to be skipped that is longer than the head is taken for zstd's, whose tools write such frames.
    """
    while int.from_bytes(head[:4], "little") in _SKIPPABLE and len(head) > 7:
        size = 8 + int.from_bytes(head[4:8], "little")
        if size >= len(head):
            return _ZSTD
        head = head[size:]
    return next((codec for codec in CODECS if head.startswith(codec.magic)), None)


class _Unpacked:
    """What a stream of compressed bytes holds, as a file that only goes forward."""

    def __init__(self, pieces: Iterator[bytes]):
        self._pieces = pieces
        self._left = memoryview(b"")

    def read(self, size: int = -1, /) -> bytes:
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            if len(piece) <= size:
                return piece
            self._left = memoryview(piece)
        data, self._left = self._left[:size], self._left[size:]
        return bytes(data)


def unpacked(packed: Stream, codec: Codec, limits: Limits) -> Stream:
    """The bytes that compressed ones stand for."""
    return Stream(lambda: _Unpacked(_pieces(packed, codec, limits)), packed.name, again=packed.can_go_back, size=None)


def _pieces(packed: Stream, codec: Codec, limits: Limits) -> Iterator[bytes]:
    packed.seek(0)
    total = members = 0
    data = packed.read(BLOCK_BYTES)
    while data:
        data = _without_skippable(packed, data)
        if members and data and not data[:4].strip(b"\0"):
            _check_padding(packed, codec, data)
            return
        if not data:
            return
        members += 1
        member = codec.member(limits)
        while not member.ended:
            try:
                for piece in member.feed(data):
                    total += len(piece)
                    check_ratio(packed.name, total, packed.place, limits)
                    if piece:
                        yield piece
            except TooFarBackError as error:
                raise DumpError(
                    "{dump}: zstd was told to look back {window} bytes (--long or --ultra), more than "
                    "{window_bytes}. Raise the limit window_bytes if memory allows it, or compress without.",
                    dump=Name(packed.name, whole=True),
                    window=error.window,
                    window_bytes=limits.window_bytes,
                ) from error
            except codec.errors as error:
                raise broken(packed.name, codec.name, packed.place) from error
            if member.ended:
                break
            data = packed.read(BLOCK_BYTES)
            if not data:
                raise DumpError(
                    "{dump}: the {name} stream ends after {place} compressed bytes, within a member. The "
                    "file was cut on its way; fetch it again.",
                    dump=Name(packed.name, whole=True),
                    name=Name(codec.name),
                    place=packed.place,
                )
        data = member.left or packed.read(BLOCK_BYTES)


def _without_skippable(packed: Stream, data: bytes) -> bytes:
    if len(data) < 8:
        data += packed.read(BLOCK_BYTES)
    while len(data) >= 8 and int.from_bytes(data[:4], "little") in _SKIPPABLE:
        size = 8 + int.from_bytes(data[4:8], "little")
        if size > len(data):
            packed.seek(packed.place + size - len(data))
            data = b""
        data = data[size:]
        if len(data) < 8:
            data += packed.read(BLOCK_BYTES)
    return data


def _check_padding(packed: Stream, codec: Codec, data: bytes) -> None:
    """Check that nothing but zeros follows."""
    while data:
        if data.strip(b"\0"):
            raise broken(packed.name, codec.name, packed.place)
        data = packed.read(BLOCK_BYTES)


def broken(name: str, codec: str, place: int) -> DumpError:
    """That compressed bytes aren't what their format says."""
    return DumpError(
        "{dump}: the {codec} stream is broken within {place} compressed bytes. The file was cut "
        "or damaged on its way; fetch it again.",
        dump=Name(name, whole=True),
        codec=Name(codec),
        place=place,
    )


def check_ratio(name: str, total: int, compressed: int, limits: Limits) -> None:
    """Refuse what becomes so much larger that it looks like a bomb.

    Raises:
        DumpError: it does, or is larger than any dump may be.
    """
    if total > limits.total_bytes:
        raise DumpError(
            "{dump}: more than {total_bytes} bytes. Raise the limit total_bytes if it is right.",
            dump=Name(name, whole=True),
            total_bytes=limits.total_bytes,
        )
    if total - limits.ratio_from > limits.ratio * max(compressed, 1):
        raise DumpError(
            "{dump}: {compressed} compressed bytes hold more than {total} bytes, more than {ratio} "
            "times as many: this looks like a decompression bomb. Raise the limit ratio if it is "
            "right.",
            dump=Name(name, whole=True),
            compressed=compressed,
            total=total,
            ratio=limits.ratio,
        )
