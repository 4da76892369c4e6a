"""Reading SQL dumps: from the text that mysqldump, mariadb-dump and pg_dump write to Arrow record batches.

A dump is data: nothing in it is executed. It is read once, from front to back, with memory bounded by a batch.
"""

from recograph.dumps.errors import DumpError
from recograph.dumps.inspection import Inspection, inspect
from recograph.dumps.reader import DumpReader, TableReport

__all__ = ["DumpError", "DumpReader", "Inspection", "TableReport", "inspect"]
