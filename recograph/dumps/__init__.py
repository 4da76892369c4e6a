"""Reads SQL dumps as mysqldump, mariadb-dump and pg_dump write them, from text to Arrow, exactly, fast and safely.

`DumpReader` gives record batches of every table, or of the tables and columns that are asked for; `inspect` tells what
a dump holds, `sniff` what it is. Nothing here knows of Dagster or of the pipeline's contracts.
"""

from recograph.dumps.inspection import Inspection, Sniff, inspect, sniff
from recograph.dumps.reader import DumpReader
from recograph.dumps.report import DumpError, Limits, TableReport

__all__ = ["DumpError", "DumpReader", "Inspection", "Limits", "Sniff", "TableReport", "inspect", "sniff"]
