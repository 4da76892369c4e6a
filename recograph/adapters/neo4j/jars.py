"""Neo4j Community's jars: pinned by digest in `jars.lock`, fetched once per machine from Maven Central.

The lock file names every jar, so that nothing has to be resolved: the jars that the cache folder lacks are fetched in
parallel, and checked against their SHA-256. A mirror can be named in jgo's settings file, in the section
`[repositories]`; it is asked first.

To move to another Neo4j, set `VERSION`, run `python -m recograph.adapters.neo4j.jars`, which resolves the coordinates
with jgo and rewrites the lock, and run the tests. A newer version opens an existing store as it is (`server.py`).
"""

import hashlib
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recograph.adapters.neo4j.cache import cache_dir
from recograph.errors import RecographError

if TYPE_CHECKING:
    import requests

VERSION = "2026.08.1"
BROWSER_VERSION = "5.24.0"
COORDINATES = (
    f"org.neo4j:neo4j:{VERSION}",
    f"org.neo4j.app:neo4j-server:{VERSION}",
    f"org.neo4j:neo4j-slf4j-provider:{VERSION}",
    f"org.neo4j.client:neo4j-browser:{BROWSER_VERSION}",
)
LOCK = Path(__file__).with_name("jars.lock")
_PARALLEL_DOWNLOADS = 16
_SAY_EVERY = 3.0
"""Seconds between two lines about the progress of a fetch."""


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
        """The jar's file name in Maven: artifact-version[-classifier].jar."""
        return "-".join(self.coordinate.split(":")[1:]) + ".jar"

    @property
    def path(self) -> str:
        """The jar's path in a Maven repository: group/artifact/version/filename."""
        group, artifact, version = self.coordinate.split(":")[:3]
        return f"{group.replace('.', '/')}/{artifact}/{version}/{self.filename}"


def locked_jars() -> list[Jar]:
    """The jars of the lock file, in its order."""
    return [Jar(*line.split()) for line in LOCK.read_text().splitlines()]


def classpath(say: Callable[[str], None]) -> list[Path]:
    """The jars on this machine, fetched where they are missing.

    Args:
        say: called now and then with a line about the progress.

    Raises:
        RecographError: a jar is missing and can't be fetched, or the cache folder can't be written.
    """
    folder = cache_dir() / f"neo4j-{VERSION}"
    jars = locked_jars()
    present = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    missing = [jar for jar in jars if jar.filename not in present]
    if missing:
        say(f"Fetching Neo4j {VERSION} from Maven Central: {len(missing)} jars, once per machine.")
        _fetch(missing, folder, say)
    return [folder / jar.filename for jar in jars]


def _fetch(jars: list[Jar], folder: Path, say: Callable[[str], None]) -> None:
    # Imported here, because every command imports this module for the version, and hardly any command fetches.
    import requests
    from requests.adapters import HTTPAdapter

    try:
        folder.mkdir(parents=True, exist_ok=True)
        # A jar gets its place by a rename, so that a fetch which is cut off, or runs twice, leaves no half jar.
        with (
            tempfile.TemporaryDirectory(dir=folder.parent, prefix="fetch-") as staging,
            requests.Session() as session,
            ThreadPoolExecutor(_PARALLEL_DOWNLOADS) as pool,
        ):
            session.mount("https://", HTTPAdapter(pool_maxsize=_PARALLEL_DOWNLOADS, max_retries=3))
            repositories = list(_repositories().values())
            said = time.monotonic()
            waiting = [pool.submit(_fetch_one, jar, session, repositories, Path(staging), folder) for jar in jars]
            try:
                for count, fetched in enumerate(as_completed(waiting), start=1):
                    fetched.result()
                    if time.monotonic() - said > _SAY_EVERY:
                        said = time.monotonic()
                        say(f"  {count} of {len(jars)} jars")
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
    except OSError as error:
        # requests' errors are OSErrors too: no network, no such host, timed out.
        raise RecographError(
            f"Neo4j's jars can't be fetched into {folder}: {error}. They are needed once per machine: connect to the "
            "internet, copy that folder from a machine that has it, or set NEO4J_URI to use another Neo4j."
        ) from error


def _fetch_one(jar: Jar, session: "requests.Session", repositories: Sequence[str], staging: Path, folder: Path) -> None:
    for repository in repositories:
        answer = session.get(f"{repository.rstrip('/')}/{jar.path}", timeout=60)
        if answer.status_code != 404:
            break
    else:
        raise RecographError(f"Neo4j's jar {jar.coordinate} isn't in the Maven repository.")
    answer.raise_for_status()
    digest = hashlib.sha256(answer.content).hexdigest()
    if digest != jar.sha256:
        raise RecographError(
            f"Neo4j's jar {jar.coordinate} arrived with SHA-256 {digest}, but {jar.sha256} was expected. Try again; "
            "if it stays, the repository or a proxy on the way alters files."
        )
    (staging / jar.filename).write_bytes(answer.content)
    (staging / jar.filename).replace(folder / jar.filename)


def _repositories() -> dict[str, str]:
    from jgo.config import GlobalSettings
    from jgo.constants import MAVEN_CENTRAL_URL

    return {**GlobalSettings.load().repositories, "central": MAVEN_CENTRAL_URL}


def _maven(cache: Path) -> Any:
    from jgo.maven import MavenContext

    return MavenContext(repo_cache=cache, local_repos=[], remote_repos=_repositories(), timeout=60)


def write_lock() -> None:
    """Resolve the coordinates anew, fetch all jars, and write their digests to the lock."""
    with tempfile.TemporaryDirectory() as staging:
        context = _maven(Path(staging))
        inputs, transitive = context.resolver.resolve([context.create_dependency(name) for name in COORDINATES])
        lines = []
        for dependency in [*inputs, *(needed for needed in transitive if needed.scope in ("compile", "runtime"))]:
            artifact = dependency.artifact
            name = [artifact.groupId, artifact.artifactId, artifact.version, artifact.classifier]
            digest = hashlib.sha256(artifact.resolve().read_bytes()).hexdigest()
            lines.append(":".join(part for part in name if part) + f" {digest}\n")
    LOCK.write_text("".join(sorted(lines)))
    shutil.rmtree(cache_dir() / f"neo4j-{VERSION}", ignore_errors=True)


if __name__ == "__main__":
    write_lock()
    sys.stdout.write(f"{LOCK}: {len(locked_jars())} jars\n")
