"""Python's codecs for the character sets of MySQL and PostgreSQL."""

import codecs

LATIN1 = "recograph-mysql-latin1"

_ASCII_SAFE = {
    **dict.fromkeys(["utf8", "utf8mb3", "utf8mb4", "ascii"], "utf-8"),
    "latin1": LATIN1,
    "latin2": "iso8859-2",
    "latin5": "iso8859-9",
    "latin7": "iso8859-13",
    "greek": "iso8859-7",
    "hebrew": "iso8859-8",
    "hp8": "hp-roman8",
    "macroman": "mac-roman",
    "macce": "mac-latin2",
    "tis620": "tis-620",
    "koi8r": "koi8-r",
    "koi8u": "koi8-u",
    "ujis": "euc-jp",
    "eucjpms": "euc-jp",
    "euckr": "euc-kr",
    "gb2312": "gb2312",
    **{f"cp{page}": f"cp{page}" for page in (850, 852, 866, 1250, 1251, 1256, 1257)},
}
_OTHERS = {
    "sjis": "cp932",
    "cp932": "cp932",
    "gbk": "gbk",
    "gb18030": "gb18030",
    "big5": "big5hkscs",
    "ucs2": "utf-16-be",
    "utf16": "utf-16-be",
    "utf16le": "utf-16-le",
    "utf32": "utf-32-be",
}
_POSTGRESQL = {
    **dict.fromkeys(["UTF8", "UNICODE", "SQL_ASCII"], "utf-8"),
    **{f"LATIN{n}": f"iso8859-{part}" for n, part in enumerate((1, 2, 3, 4, 9, 10, 13, 14, 15, 16), 1)},
    **{f"WIN{page}": f"cp{page}" for page in (866, 874, 1250, 1251, 1252, 1253, 1254, 1255, 1256, 1257, 1258)},
    **{f"ISO_8859_{part}": f"iso8859-{part}" for part in (5, 6, 7, 8)},
    "KOI8R": "koi8-r",
    "KOI8U": "koi8-u",
    "EUC_JP": "euc-jp",
    "EUC_KR": "euc-kr",
    "EUC_CN": "gb2312",
}


def mysql_codec(charset: str, *, of_dump: bool = False) -> str | None:
    """The codec of a character set of MySQL, or None where there is none.

    Args:
        charset: as MySQL calls it, in lower case.
        of_dump: whether a whole dump is in it, whose quotes and backslashes then must not be parts of characters.
    """
    return _ASCII_SAFE.get(charset) or (None if of_dump else _OTHERS.get(charset))


def postgresql_codec(encoding: str) -> str | None:
    """The codec of an encoding that PostgreSQL's servers can have, or None where there is none."""
    return _POSTGRESQL.get(encoding.upper())


def _mysql_latin1(name: str) -> codecs.CodecInfo | None:
    """MySQL's latin1 is Windows' code page 1252, with its five holes filled by control characters."""
    if name.replace("_", "-") != LATIN1:
        return None
    table = {at: bytes([at]).decode("cp1252", errors="replace").replace("\ufffd", chr(at)) for at in range(256)}
    back = {ord(character): at for at, character in table.items()}
    decoding = {at: ord(character) for at, character in table.items()}
    return codecs.CodecInfo(
        lambda text, errors="strict": codecs.charmap_encode(text, errors, back),
        lambda data, errors="strict": codecs.charmap_decode(data, errors, decoding),
        name=LATIN1,
    )


codecs.register(_mysql_latin1)
