"""The people who were erased, whose rows landing leaves out: one empty object per person, ``erased/CUSTOMER/users/ID``.

There is one object per person so that two erasures at the same moment can't overwrite each other, also on S3. Version
0.1 kept one list, ``erased/CUSTOMER/users.json``, which still counts.
"""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.fs as fs
import pyarrow.parquet as pq

from recograph.errors import RecographError
from recograph.lake.interfaces import Lake
from recograph.lake.layout import erased_folder, erased_list
from recograph.platforms.contract import Person

LARGEST_ID = 2**63 - 1


def check_user(user: int) -> None:
    """Refuse what can't be anybody's id.

    Raises:
        RecographError: the id is negative or has more than 63 bits.
    """
    if not 0 <= user <= LARGEST_ID:
        raise RecographError(f"{user} can't be the id of a user: give one from 0 to {LARGEST_ID}. Nothing was erased.")


def erased_users(lake: Lake, customer: str) -> frozenset[int]:
    """The people of a customer that were erased."""
    filesystem, root = lake.filesystem()
    selector = fs.FileSelector(f"{root}{erased_folder(customer)}", recursive=True, allow_not_found=True)
    paths = [file.path for file in filesystem.get_file_info(selector) if file.type == fs.FileType.File]
    listed = [path.rsplit("/", 1)[1] for path in paths if path.startswith(f"{root}{erased_list(customer)}")]
    users = {int(name) for name in listed if name.isdecimal()}
    if (first_list := f"{root}{erased_folder(customer)}users.json") in paths:
        with filesystem.open_input_stream(first_list) as file:
            users |= set(json.loads(file.read()))
    # An older version accepted ids that nobody can have.
    return frozenset(user for user in users if user <= LARGEST_ID)


def is_about(batch: pa.RecordBatch, person: Person, users: frozenset[int]) -> pa.BooleanArray:
    """Which rows are about any of the users."""
    listed = pa.array(sorted(users), batch.schema.field(person.column).type)
    rows = pc.is_in(batch.column(person.column), value_set=listed)
    if person.where:
        column, value = person.where
        rows = pc.and_(rows, pc.fill_null(pc.equal(batch.column(column), value), False))
    return rows


def without_erased(batch: pa.RecordBatch, person: Person | None, erased: frozenset[int]) -> pa.RecordBatch:
    """A batch of a landed table without the rows about people who were erased."""
    if not person or not erased:
        return batch
    return batch.filter(pc.invert(is_about(batch, person, erased)))


def leave_out(path: Path, person: Person, erased: frozenset[int]) -> int:
    """Write a file on this machine anew without the rows about erased people; returns how many rows that left out."""
    kept = path.with_name(f"{path.name}.without")
    rows = 0
    with pq.ParquetFile(path) as file, pq.ParquetWriter(kept, file.schema_arrow, compression="zstd") as writer:
        for batch in file.iter_batches():
            remaining = without_erased(batch, person, erased)
            rows += batch.num_rows - remaining.num_rows
            writer.write_batch(remaining)
    kept.replace(path)
    return rows


def add_erased(lake: Lake, customer: str, user: int) -> None:
    """Put a person onto the list."""
    check_user(user)
    with lake.staging() as folder:
        (folder / "erased").touch()
        lake.publish(folder / "erased", f"{erased_list(customer)}{user}")
