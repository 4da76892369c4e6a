"""Texts that break readers of dumps."""

# fmt: off
TEXTS = [
    '', ' ', 'NULL', '\\N', '\\.', '\n\\.\n', "'", "''", "'''", '\\', '\\\\', "\\'", 'a\\', "'\\", '\n', '\r\n', '\r',
    '\t', '\x08', '\x1a', '\x0c', '\x0b', '%_', '\\%\\_', ');', "');\nINSERT INTO t VALUES (1,'x');\n", '),(', "','",
    ',', ';', ';\n', '(', ')', '-- x\n', '#', '/* x', '*/', '/*!50001 x */', '`', '"', '"a","b"', '$$', '$tag$',
    "E'\\n'", '0x41', "b'1'", "_binary '", '\\x41', '\\101', '\\u0041', 'é', 'ß', '€', '\u2028', '😀', '日本語',
    '-- Dump completed\n', '-- PostgreSQL database dump complete\n', 'COPY t FROM stdin;\n1\n\\.\n', 'DELIMITER ;;\n',
    '{"a": [1, "\\""]}', '<p class="a">it\'s \\ \'quoted\'</p>\r\n<br/>);\n', "x" * 5000, "\\" * 7, "'" * 7,
    "\\'" * 2500, "\t\n" * 50, '0', '-1', '0000-00-00', 'true', 'now()',
]
# fmt: on
"""Any text column can hold them; MySQL's could also hold NUL."""

LATIN1_TEXTS = [text for text in TEXTS if all(ord(character) < 256 or character == "€" for character in text)]
"""Those that MySQL's latin1 can hold, which is Windows' code page 1252."""
