"""An installation in folders of its own, driven as a person drives it: through the command line."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from recograph.adapters.neo4j import Connection
from recograph_tests.pipeline.warm import run_warm

COMMAND = Path(sys.executable).with_name("recograph")


def bare_environment() -> dict[str, str]:
    """The environment of somebody who has set nothing of ours."""
    prefixes = ("RECOGRAPH_", "NEO4J_", "AWS_", "DAGSTER_")
    return {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}


@dataclass(frozen=True)
class Installation:
    """A pair of RECOGRAPH_DATA and RECOGRAPH_HOME, and the Neo4j that it uses."""

    data: Path
    home: Path
    server: Connection

    @property
    def environ(self) -> dict[str, str]:
        """The environment of somebody who has set nothing else."""
        return bare_environment() | {
            "RECOGRAPH_DATA": str(self.data),
            "RECOGRAPH_HOME": str(self.home),
            "NEO4J_URI": self.server.uri,
            "NEO4J_PASSWORD": self.server.password,
            "COLUMNS": "400",
        }

    def recograph(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run `recograph ARGUMENTS` to its end."""
        return run_warm(list(arguments), self.environ | environ)

    def lake(self) -> dict[str, bytes]:
        """The content of every file in the lake, by its key."""
        root = self.home / "lake"
        return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}
