from recograph_tests.dumps.conftest import mariadb, postgresql

__all__ = ["mariadb", "postgresql"]
