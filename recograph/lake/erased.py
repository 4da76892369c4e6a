"""The people who were erased: a list per customer, ``erased/CUSTOMER/users.json``, whose rows landing leaves out."""

import json

import pyarrow as pa
import pyarrow.compute as pc

from recograph.lake.interfaces import Lake


def erased_users(lake: Lake, customer: str) -> frozenset[int]:
    """The people of a customer that were erased."""
    filesystem, root = lake.filesystem()
    try:
        with filesystem.open_input_stream(f"{root}{list_key(customer)}") as file:
            return frozenset(json.loads(file.read()))
    except FileNotFoundError:
        return frozenset()


def without_erased(batch: pa.RecordBatch, person: str | None, erased: frozenset[int]) -> pa.RecordBatch:
    """A batch of a landed table without the rows about people who were erased."""
    if not person or not erased:
        return batch
    listed = pa.array(sorted(erased), batch.schema.field(person).type)
    return batch.filter(pc.invert(pc.is_in(batch.column(person), value_set=listed)))


def list_key(customer: str) -> str:
    """Where the list of a customer's erased people lies."""
    return f"erased/{customer}/users.json"


def add_erased(lake: Lake, customer: str, user: int) -> None:
    """Put a person onto the list."""
    with lake.staging() as folder:
        (folder / "erased").write_text(json.dumps(sorted({*erased_users(lake, customer), user})))
        lake.publish(folder / "erased", list_key(customer))
