"""The people who were erased: a list per customer, ``erased/CUSTOMER/users.json``, whose rows landing leaves out."""

import json

import pyarrow as pa
import pyarrow.compute as pc

from recograph.lake.interfaces import Lake
from recograph.platforms.contract import Person


def erased_users(lake: Lake, customer: str) -> frozenset[int]:
    """The people of a customer that were erased."""
    filesystem, root = lake.filesystem()
    try:
        with filesystem.open_input_stream(f"{root}{list_key(customer)}") as file:
            return frozenset(json.loads(file.read()))
    except FileNotFoundError:
        return frozenset()


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


def list_key(customer: str) -> str:
    """Where the list of a customer's erased people lies."""
    return f"erased/{customer}/users.json"


def add_erased(lake: Lake, customer: str, user: int) -> None:
    """Put a person onto the list."""
    with lake.staging() as folder:
        (folder / "erased").write_text(json.dumps(sorted({*erased_users(lake, customer), user})))
        lake.publish(folder / "erased", list_key(customer))
