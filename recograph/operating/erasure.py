"""Erases a customer, or one of its people, from the lake and the graph for good, and says where they still are.

A person's id goes onto a list in the lake, `erased/CUSTOMER/users/`, and landing leaves out the rows about listed
people. So no dump that still has a person brings them back, also not an older dump that is loaded again.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.fs as fs
import pyarrow.parquet as pq

from recograph.analytics.kinds import RECOMMENDATIONS
from recograph.customers import Customer
from recograph.errors import RecographError
from recograph.graph.erase import Erased
from recograph.graph.model import ALL_SETS, USER, RelationshipSet
from recograph.lake.erased import add_erased, check_user, is_about, leave_out
from recograph.lake.interfaces import DumpFile, Inbox, Lake
from recograph.lake.landing import reader_of
from recograph.lake.layout import customer_folder, erased_folder, landing_folder, mart_folder, remaking
from recograph.platforms import platform_of
from recograph.platforms.contract import Person

MARTS = sorted({*(graph_set.mart for graph_set in ALL_SETS), RECOMMENDATIONS})


@dataclass
class Erasure:
    """What became of a request to erase."""

    rows: int = 0
    """Rows, or files where a whole customer goes, that were removed from the lake."""
    nodes: int = 0
    relationships: int = 0
    remaining: list[str] = field(default_factory=list)
    """Where something still is that recograph leaves to people: dumps, backups, old versions."""
    problems: list[str] = field(default_factory=list)
    """Sentences about what couldn't be erased, or looked at."""

    @contextmanager
    def tried(self) -> Iterator[None]:
        """Note an error of the block as a problem, so that the rest of the request goes on."""
        try:
            yield
        except RecographError as error:
            self.problems.append(" ".join(str(error).split()))


def erase_customer(
    inbox: Inbox, lake: Lake, customer: str, erase_nodes: Callable[[], Erased], backups: Collection[Path] = ()
) -> Erasure:
    """Delete a customer's landed tables and marts, of every date, its list of erased people, and its part of the graph.

    Args:
        inbox: where the dumps are; they aren't deleted.
        lake: where the tables are.
        customer: id of the customer.
        erase_nodes: erases from the graph.
        backups: the known backups of the graph.
    """
    erasure = Erasure()
    prefixes = [customer_folder(customer), erased_folder(customer), *(mart_folder(mart, customer) for mart in MARTS)]
    with lake.locked(customer):
        for prefix in prefixes:
            with erasure.tried():
                erasure.rows += lake.delete(prefix)
    _erase_nodes(erasure, erase_nodes)
    with erasure.tried():
        erasure.remaining += [dump.uri for dump in inbox.dumps(customer).values()]
    _remaining(erasure, lake, prefixes, backups)
    return erasure


def erase_user(
    inbox: Inbox,
    lake: Lake,
    customer: Customer,
    user: int,
    erase_nodes: Callable[[], Erased],
    backups: Collection[Path] = (),
) -> Erasure:
    """Remove the rows about a person from the customer's landed tables and marts, of every date, and from the graph.

    The person is erased from the graph even where the lake can't be changed. See `erase_customer` for the arguments.

    Raises:
        RecographError: nobody can have that id. Nothing was erased.
    """
    check_user(user)
    erasure = Erasure()
    # Locked, because a landing that read the list before the person was on it would publish the person's rows later.
    with lake.locked(customer.id):
        with erasure.tried():
            add_erased(lake, customer.id, user)
        for key, person in _files(lake, customer):
            with erasure.tried():
                erasure.rows += _without(lake, key, person, user)
    _erase_nodes(erasure, erase_nodes)
    dumps: Collection[DumpFile] = ()
    with erasure.tried():
        dumps = inbox.dumps(customer.id).values()
    for dump in dumps:
        with erasure.tried():
            if _is_about(inbox, customer, dump, user):
                erasure.remaining.append(dump.uri)
    _remaining(
        erasure, lake, [customer_folder(customer.id), *(mart_folder(mart, customer.id) for mart in MARTS)], backups
    )
    return erasure


def _erase_nodes(erasure: Erasure, erase_nodes: Callable[[], Erased]) -> None:
    with erasure.tried():
        erased = erase_nodes()
        erasure.nodes, erasure.relationships = erased.nodes, erased.relationships


def _remaining(erasure: Erasure, lake: Lake, prefixes: Collection[str], backups: Collection[Path]) -> None:
    """Note the other copies that recograph knows of."""
    erasure.remaining += [f"the backup {backup}" for backup in backups]
    with erasure.tried():
        if versions := sum(lake.old_versions(prefix) for prefix in prefixes):
            erasure.remaining.append(f"{versions:,} old versions of objects in {lake.uri('')}")


def _is_about(inbox: Inbox, customer: Customer, dump: DumpFile, user: int) -> bool:
    """Whether a dump has rows about a person."""
    platform = platform_of(customer)
    prefix = platform.prefix_of(customer)
    people = {prefix + name: (contract, contract.about) for name, contract in platform.contracts.items()}
    schemas = {
        name: pa.schema(map(contract.schema.field, person.columns))
        for name, (contract, person) in people.items()
        if person
    }
    with inbox.open_dump(dump) as source, reader_of(source, dump, customer, schemas) as reader:
        return any(_has(batch, person, user) for table, batch in reader if (person := people[table][1]))


def _has(batch: pa.RecordBatch, person: Person, user: int) -> bool:
    return bool(pc.any(is_about(batch, person, frozenset({user}))).as_py())


def _files(lake: Lake, customer: Customer) -> Iterator[tuple[str, Person]]:
    """The keys of all files that may have rows about people, and which columns say whom a row is about."""
    for contract in platform_of(customer).contracts.values():
        if contract.about:
            for key in lake.parquet(landing_folder(customer.id, contract.table)):
                yield key, contract.about
    about = [graph_set for graph_set in ALL_SETS if isinstance(graph_set, RelationshipSet) and graph_set.start is USER]
    columns = {
        (USER.mart, USER.key_column),
        (RECOMMENDATIONS, "user_id"),
        *((relationship_set.mart, relationship_set.start_column) for relationship_set in about),
    }
    for mart, column in sorted(columns):
        for key in lake.parquet(mart_folder(mart, customer.id)):
            yield key, Person(column)


def _without(lake: Lake, key: str, person: Person, user: int) -> int:
    """Write a file anew without the rows about a person; returns how many rows that left out."""
    filesystem, root = lake.filesystem()
    try:
        with pq.ParquetFile(f"{root}{key}", filesystem=filesystem) as file:
            if not any(_has(batch, person, user) for batch in file.iter_batches(columns=person.columns)):
                return 0
        with lake.staging() as folder:
            fs.copy_files(f"{root}{key}", str(folder / "kept"), source_filesystem=filesystem)
            rows = leave_out(folder / "kept", person, frozenset({user}))
            lake.publish(folder / "kept", key)
    except (OSError, pa.ArrowInvalid) as error:
        raise RecographError(
            f"{lake.uri(key)} can't be read ({error}), so rows about the person may still be in it. {remaking(key)}"
        ) from error
    return rows
