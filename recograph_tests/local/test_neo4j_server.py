"""The managed server, on the real thing."""


from recograph.local.neo4j import Connection, ManagedServer


def test_a_second_start_finds_the_first(neo4j_server: Connection, neo4j) -> None:
    again = ManagedServer(neo4j_server.password_file.parent).start()
    assert again == neo4j_server
    assert neo4j.execute_query("RETURN 1 AS one").records[0]["one"] == 1
