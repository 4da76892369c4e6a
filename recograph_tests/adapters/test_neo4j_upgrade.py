"""What docs/operating.md says of upgrades: a newer Neo4j opens the store of an older one, and not the other way."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import neo4j as neo4j_driver
import pytest

from recograph.adapters.neo4j import Connection, ManagedServer, jars, server
from recograph.errors import RecographError

OLDER = "2026.07.1"
VERSION_HELD = "CALL dbms.components() YIELD name, versions WHERE name = 'Neo4j Kernel' RETURN versions[0]"


@contextmanager
def older_recograph(cache: Path) -> Iterator[None]:
    """Bring the older Neo4j, as an older recograph does."""
    with pytest.MonkeyPatch.context() as patch:
        coordinates = tuple(jar.replace(jars.VERSION, OLDER) for jar in jars.COORDINATES)
        patch.setattr(jars, "COORDINATES", coordinates)
        patch.setattr(jars, "LOCK", cache / "jars.lock")
        patch.setattr(jars, "cache_dir", lambda: cache)
        for module in (jars, server):
            patch.setattr(module, "VERSION", OLDER)
        yield


def rows(connection: Connection, query: str) -> list[list[object]]:
    with neo4j_driver.GraphDatabase.driver(connection.uri, auth=(connection.username, connection.password)) as driver:
        return [list(record.values()) for record in driver.execute_query(query).records]


@pytest.mark.docs
@pytest.mark.timeout(900)
def test_a_newer_neo4j_opens_the_store_and_an_older_one_refuses_it(tmp_path: Path) -> None:
    cache, managed = tmp_path / "cache", ManagedServer(tmp_path / "neo4j")
    cache.mkdir()
    try:
        with older_recograph(cache):
            try:
                jars.write_lock()
            except (RuntimeError, OSError) as error:
                pytest.skip(f"Neo4j {OLDER} can't be fetched here: {error}")
            before = managed.start()
            rows(before, "CREATE CONSTRAINT user_key FOR (n:User) REQUIRE (n.customer_id, n.id) IS UNIQUE")
            rows(before, "UNWIND range(1, 500) AS id CREATE (:User {customer_id: 'c', id: id})-[:KNOWS]->(:Other)")
            assert rows(before, VERSION_HELD) == [[OLDER]]
            managed.stop()
        after = managed.start()
        assert rows(after, VERSION_HELD) == [[jars.VERSION]]
        assert rows(after, "MATCH (n:User)-[:KNOWS]->(:Other) RETURN count(*), sum(n.id)") == [[500, 125250]]
        assert rows(after, "SHOW CONSTRAINTS YIELD name RETURN name") == [["user_key"]]
        managed.stop()
        with older_recograph(cache), pytest.raises(RecographError, match="Use the newer recograph"):
            managed.start()
    finally:
        managed.stop()
