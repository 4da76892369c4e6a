"""Take a customer, or one of its people, out of the lake, for good.

A person's id goes onto a list in the lake, `erased/CUSTOMER/users.json`, and landing leaves rows about the listed out:
a dump that still has the person, perhaps an older one that is loaded again, doesn't bring them back.
"""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recograph.analytics.kinds import RECOMMENDATIONS
from recograph.customers import Customer
from recograph.dumps import DumpReader
from recograph.graph.model import ALL_SETS, USER, RelationshipSet
from recograph.lake.erased import add_erased, is_about, without_erased
from recograph.lake.interfaces import Lake
from recograph.lake.layout import customer_folder, landing_folder, mart_folder
from recograph.platforms import platform_of
from recograph.platforms.contract import Person

MARTS = sorted({*(each.mart for each in ALL_SETS), RECOMMENDATIONS})


def erase_customer(lake: Lake, customer: str) -> int:
    """Delete a customer's landed tables and marts, of every date, and its list of erased people.

    Returns:
        How many files were deleted.
    """
    prefixes = [
        customer_folder(customer),
        f"erased/{customer}/",
        *(mart_folder(mart, customer) for mart in MARTS),
    ]
    return sum(lake.delete(prefix) for prefix in prefixes)


def erase_user(lake: Lake, customer: Customer, user: int) -> int:
    """Remove the rows about a person from the customer's landed tables and marts, of every date.

    Returns:
        How many rows were removed.
    """
    add_erased(lake, customer.id, user)
    return sum(_without(lake, key, person, user) for key, person in _files(lake, customer))


def dumps_about(lake: Lake, customer: Customer, user: int) -> list[str]:
    """The customer's dumps that still have rows about a person; reads them all."""
    platform = platform_of(customer)
    schemas = {
        platform.prefix_of(customer) + contract.table: pa.schema(map(contract.schema.field, contract.about.columns))
        for contract in platform.contracts.values()
        if contract.about
    }
    people = {platform.prefix_of(customer) + name: contract.about for name, contract in platform.contracts.items()}
    found = []
    for dump in lake.dumps(customer.id).values():
        with lake.open_dump(dump) as source, DumpReader(source, name=dump.uri, schemas=schemas) as reader:
            if any(_count(batch, people[table], user) for table, batch in reader):
                found.append(dump.uri)
    return found


def _files(lake: Lake, customer: Customer) -> Iterator[tuple[str, Person]]:
    """The keys of all files that may have rows about people, and how these say about whom."""
    for contract in platform_of(customer).contracts.values():
        if contract.about:
            for key in lake.parquet(landing_folder(customer.id, contract.table)):
                yield key, contract.about
    about = [each for each in ALL_SETS if isinstance(each, RelationshipSet) and each.start is USER]
    columns = {
        (USER.mart, USER.key_column),
        (RECOMMENDATIONS, "user_id"),
        *((each.mart, each.start_column) for each in about),
    }
    for mart, column in sorted(columns):
        for key in lake.parquet(mart_folder(mart, customer.id)):
            yield key, Person(column)


def _count(batch: pa.RecordBatch, person: Person | None, user: int) -> int:
    """How many rows are about a user."""
    return int(pc.sum(is_about(batch, person, frozenset({user}))).as_py() or 0) if person else 0


def _without(lake: Lake, key: str, person: Person, user: int) -> int:
    """Write a file anew without the rows about a person; returns how many these were."""
    filesystem, root = lake.filesystem()
    with pq.ParquetFile(f"{root}{key}", filesystem=filesystem) as file:
        rows = sum(_count(batch, person, user) for batch in file.iter_batches(columns=person.columns))
        if not rows:
            return 0
        with lake.staging() as folder:
            with pq.ParquetWriter(folder / "kept", file.schema_arrow, compression="zstd") as writer:
                for batch in file.iter_batches():
                    writer.write_batch(without_erased(batch, person, frozenset({user})))
            lake.publish(folder / "kept", key)
    return rows
