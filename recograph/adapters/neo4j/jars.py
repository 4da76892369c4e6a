"""Neo4j Community's jars: pinned by digest in `jars.lock`, fetched once from Maven Central through jgo.

The lock file names every jar, so that nothing has to be resolved: the jars that the cache folder lacks are fetched in
parallel and checked against their SHA-256. A repository of one's own (a mirror) is named in jgo's settings file, in
the section `[repositories]`, and is asked first.

To move to another Neo4j, set `VERSION`, run `python -m recograph.adapters.neo4j.jars`, which resolves the coordinates
anew and rewrites the lock, and run the tests. An existing store is opened by the newer version as it is (`server.py`).
"""

import hashlib
import shutil
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recograph.adapters.neo4j.cache import cache_dir
from recograph.errors import RecographError

VERSION = "2026.08.1"
BROWSER_VERSION = "5.24.0"
COORDINATES = (
    f"org.neo4j:neo4j:{VERSION}",
    f"org.neo4j.app:neo4j-server:{VERSION}",
    f"org.neo4j:neo4j-slf4j-provider:{VERSION}",
    f"org.neo4j.client:neo4j-browser:{BROWSER_VERSION}",
)
LOCK = Path(__file__).with_name("jars.lock")
_PARALLEL_DOWNLOADS = 8


def release(version: str) -> tuple[int, ...]:
    """A version of Neo4j as numbers, which compare; what follows a hyphen doesn't count."""
    return tuple(int(part) for part in version.split("-")[0].split(".") if part.isdigit())


@dataclass(frozen=True)
class Jar:
    """One line of the lock: Maven coordinate (group:artifact:version[:classifier]) and SHA-256 of the file."""

    coordinate: str
    sha256: str

    @property
    def filename(self) -> str:
        """As Maven names it: artifact-version[-classifier].jar."""
        return "-".join(self.coordinate.split(":")[1:]) + ".jar"


def locked_jars() -> list[Jar]:
    """The jars of the lock file, in its order."""
    return [Jar(*line.split()) for line in LOCK.read_text().splitlines()]


def classpath(say: Callable[[str], None]) -> list[Path]:
    """The jars on this machine, fetched where they are missing.

    Raises:
        RecographError: a jar is missing and can't be fetched, or the cache folder can't be written.
    """
    folder = cache_dir() / f"neo4j-{VERSION}"
    jars = locked_jars()
    present = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    missing = [jar for jar in jars if jar.filename not in present]
    if missing:
        say(f"Fetching Neo4j {VERSION} from Maven Central: {len(missing)} jars, once a machine.")
        _fetch(missing, folder)
    return [folder / jar.filename for jar in jars]


def _fetch(jars: list[Jar], folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # A jar takes its place by a rename, so that a fetch that is cut off or runs twice leaves no half of one.
        with (
            tempfile.TemporaryDirectory(dir=folder.parent, prefix="fetch-") as staging,
            ThreadPoolExecutor(_PARALLEL_DOWNLOADS) as pool,
        ):
            context = _maven(Path(staging))
            try:
                list(pool.map(lambda jar: _fetch_one(jar, context, folder), jars))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
    except OSError as error:
        # requests' errors are OSErrors too: no network, no such host, timed out.
        raise RecographError(
            f"Neo4j's jars can't be fetched into {folder}: {error}. They are needed once a machine: connect to the "
            "internet, copy that folder from a machine that has it, or set NEO4J_URI to use another Neo4j."
        ) from error


def _fetch_one(jar: Jar, context: Any, folder: Path) -> None:
    try:
        fetched: Path = context.create_dependency(jar.coordinate).artifact.resolve()
    except RuntimeError as error:
        raise RecographError(f"Neo4j's jar {jar.coordinate} isn't in the Maven repository: {error}") from error
    digest = hashlib.sha256(fetched.read_bytes()).hexdigest()
    if digest != jar.sha256:
        raise RecographError(
            f"Neo4j's jar {jar.coordinate} arrived with SHA-256 {digest}, but {jar.sha256} was expected. Try again; "
            "if it stays, the repository or a proxy on the way alters files."
        )
    fetched.replace(folder / jar.filename)


def _maven(repository: Path) -> Any:
    from jgo.config import GlobalSettings
    from jgo.constants import MAVEN_CENTRAL_URL
    from jgo.maven import MavenContext

    remotes = {**GlobalSettings.load().repositories, "central": MAVEN_CENTRAL_URL}
    return MavenContext(repo_cache=repository, local_repos=[], remote_repos=remotes, timeout=60)


def write_lock() -> None:
    """Resolve the coordinates anew, fetch all jars, and write their digests to the lock."""
    with tempfile.TemporaryDirectory() as staging:
        context = _maven(Path(staging))
        inputs, transitive = context.resolver.resolve([context.create_dependency(name) for name in COORDINATES])
        lines = []
        for dependency in [*inputs, *(found for found in transitive if found.scope in ("compile", "runtime"))]:
            artifact = dependency.artifact
            name = [artifact.groupId, artifact.artifactId, artifact.version, artifact.classifier]
            digest = hashlib.sha256(artifact.resolve().read_bytes()).hexdigest()
            lines.append(":".join(part for part in name if part) + f" {digest}\n")
    LOCK.write_text("".join(sorted(lines)))
    shutil.rmtree(cache_dir() / f"neo4j-{VERSION}", ignore_errors=True)


if __name__ == "__main__":
    write_lock()
    sys.stdout.write(f"{LOCK}: {len(locked_jars())} jars\n")
