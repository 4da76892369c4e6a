"""Reads dumps of MySQL, MariaDB and PostgreSQL in every form that their tools write, into Arrow, exactly and safely.

`DumpReader` gives record batches of every table, or of the tables and columns that are asked for; `inspect` tells what
a dump holds, `sniff` what it is. Nothing here knows of Dagster or of the pipeline's contracts.
"""

from recograph.dumps.archives.folders import Folder, LocalFolder
from recograph.dumps.inspection import Inspection, Sniff, inspect, sniff
from recograph.dumps.reader import DumpReader
from recograph.dumps.report import DumpError, Limits, TableReport
from recograph.dumps.settings import Declared
from recograph.dumps.source import ChangedError, Openable

__all__ = [
    "ChangedError",
    "Declared",
    "DumpError",
    "DumpReader",
    "Folder",
    "Inspection",
    "Limits",
    "LocalFolder",
    "Openable",
    "Sniff",
    "TableReport",
    "inspect",
    "sniff",
]
