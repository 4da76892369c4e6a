"""Compressed dumps are read as what they hold, whatever they are called; damage and bombs are refused."""

import bz2
import contextlib
import gzip
import io
import lzma
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import lz4.frame
import pytest
import zstandard

from recograph.dumps import DumpError, DumpReader, Limits, inspect, sniff
from recograph_tests.dumps.reading import read, rows_of

HEAD = b"-- MySQL dump 10.13  Distrib 8.0.36\nCREATE TABLE `t` (`a` int, `b` text);\n"
TAIL = b"-- Dump completed\n"
DUMP = HEAD + b"INSERT INTO `t` VALUES (1,'x'),(2,'it\\'s');\n" + TAIL
ROWS = [(1, "x"), (2, "it's")]


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


def zstd_as_stream(data: bytes) -> bytes:
    """As the program writes what it is piped: the frame doesn't tell its size."""
    compressor = zstandard.ZstdCompressor(write_checksum=True).compressobj()
    return compressor.compress(data) + compressor.flush()


def lz4_checked(data: bytes) -> bytes:
    compressed: bytes = lz4.frame.compress(data, content_checksum=True)
    return compressed


COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zstd": zstd,
    "zstd as a stream": zstd_as_stream,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "lz4": lz4_checked,
}
COMPRESSED = pytest.mark.parametrize("compression", COMPRESSIONS)


@COMPRESSED
def test_compression_is_told_by_content(compression: str, tmp_path: Path) -> None:
    file = tmp_path / "dump.txt"
    file.write_bytes(COMPRESSIONS[compression](DUMP))
    assert sniff(file).compression == compression.partition(" ")[0]
    assert inspect(file).tables["t"].rows == 2
    assert rows_of(read(file.read_bytes())["t"]) == ROWS


@COMPRESSED
def test_a_compressed_file_may_have_several_members(compression: str) -> None:
    data = b"".join(COMPRESSIONS[compression](part) for part in (DUMP[:80], b"", DUMP[80:100], DUMP[100:]))
    assert rows_of(read(data)["t"]) == ROWS


@COMPRESSED
def test_zeros_behind_the_last_member_are_padding(compression: str) -> None:
    data = COMPRESSIONS[compression](DUMP)
    for size in (4, 512, 3 << 20):
        assert rows_of(read(data + bytes(size))["t"]) == ROWS
    for garbage in (b"x", bytes(512) + b"x", b"-- Dump completed\n"):
        with pytest.raises(DumpError, match=r"stream is broken within \d+ compressed bytes|ends after"):
            read(data + garbage)


@COMPRESSED
def test_a_file_may_be_compressed_twice(compression: str) -> None:
    data = gzip.compress(COMPRESSIONS[compression](DUMP))
    with DumpReader(io.BytesIO(data), name="test.sql") as reader:
        assert sum(batch.num_rows for _, batch in reader) == 2
        name = compression.partition(" ")[0]
        assert reader.compression == ("gzip" if name == "gzip" else f"{name} in gzip")


def test_a_file_that_is_compressed_without_end_is_refused() -> None:
    data = DUMP
    for _ in range(5):
        data = gzip.compress(data)
    with pytest.raises(DumpError, match="packed more than 4 times"):
        read(data)


@COMPRESSED
def test_a_compressed_file_that_was_cut_is_refused(compression: str) -> None:
    data = COMPRESSIONS[compression](DUMP)
    for size in range(1, len(data)):
        with pytest.raises(DumpError) as error:
            read(data[:size])
        assert str(error.value).startswith("test.sql: ")


@COMPRESSED
def test_a_compressed_file_with_a_flipped_byte_is_refused_or_read_right(compression: str) -> None:
    data = COMPRESSIONS[compression](DUMP)
    for at in range(len(data)):
        damaged = bytearray(data)
        damaged[at] ^= 0xFF
        # A flag that is of no account, such as gzip's of the system, may be flipped without harm.
        with contextlib.suppress(DumpError):
            assert rows_of(read(bytes(damaged))["t"]) == ROWS


@COMPRESSED
def test_a_decompression_bomb_is_refused(compression: str) -> None:
    bomb = COMPRESSIONS[compression](HEAD + b"-- " + b" " * (20 << 20) + b"\n" + TAIL)
    limits = Limits(ratio=100, ratio_from=1 << 20)
    with pytest.raises(DumpError, match=r"more than 100 times as many: this looks like a decompression bomb.*ratio"):
        read(bomb, limits=limits)
    assert read(bomb, limits=Limits(ratio=1_000_000, ratio_from=1 << 20))["t"].num_rows == 0


@pytest.mark.parametrize("flag", ["--long=28", "-19", "--ultra", "--no-check", "-T2", "--format=lz4", "--format=xz"])
def test_what_the_program_zstd_writes_is_read(flag: str, tmp_path: Path) -> None:
    program = shutil.which("zstd")
    assert program, "zstd isn't installed (Debian: zstd)"
    out = tmp_path / "dump"
    subprocess.run([program, "-q", flag, "-o", out, "-"], input=DUMP, check=True)
    assert rows_of(read(out.read_bytes())["t"]) == ROWS


def test_a_window_that_memory_may_not_hold_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters.from_level(1, window_log=28)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    data = compressor.compress(DUMP) + compressor.flush()
    assert rows_of(read(data)["t"]) == ROWS
    with pytest.raises(DumpError, match=r"look back 268435456 bytes.*limit window_bytes"):
        read(data, limits=Limits(window_bytes=128 << 20))


def test_frames_that_are_to_be_skipped_are() -> None:
    for compress, sizes in ((zstd, (0, 5, 100_000, 3 << 20)), (lz4_checked, (0, 5, 60_000))):
        for size in sizes:
            skipped = (0x184D2A51).to_bytes(4, "little") + size.to_bytes(4, "little") + bytes(size)
            data = skipped + compress(DUMP[:80]) + skipped * 2 + compress(DUMP[80:]) + skipped
            assert rows_of(read(data)["t"]) == ROWS
