"""The managed server's settings: a small, quiet Neo4j on loopback, sized by the machine."""

from pathlib import Path

import psutil

from recograph.errors import RecographError

OVERRIDES = "overrides.conf"
"""A file in the server's home with the user's settings, in neo4j.conf's form; they win over the settings below."""

_MIB = 1024**2
_HOST = "127.0.0.1"


def memory_limit(cgroup: Path = Path("/sys/fs/cgroup/memory.max")) -> int:
    """Bytes of memory that this machine, or the container around us, has."""
    total: int = psutil.virtual_memory().total
    try:
        return min(total, int(cgroup.read_text()))
    except (OSError, ValueError):
        # No such control group, or "max": no limit.
        return total


def settings(bolt_port: int, http_port: int, memory: int) -> dict[str, str]:
    """Neo4j's settings for these ports and this much memory (bytes)."""
    heap = min(max(memory // 12, 512 * _MIB), 8 * 1024 * _MIB) // _MIB
    page_cache = min(max(memory // 24, 128 * _MIB), 8 * 1024 * _MIB) // _MIB
    return {
        "server.default_listen_address": _HOST,
        "server.default_advertised_address": _HOST,
        "server.bolt.listen_address": f"{_HOST}:{bolt_port}",
        "server.bolt.advertised_address": f"{_HOST}:{bolt_port}",
        "server.http.listen_address": f"{_HOST}:{http_port}",
        "server.http.advertised_address": f"{_HOST}:{http_port}",
        "server.https.enabled": "false",
        "server.http.x_forward.enabled": "false",
        "dbms.security.auth_enabled": "true",
        "server.directories.import": "import",
        # Nothing leaves the machine: no usage reports, no announcements in the network.
        "dbms.usage_report.enabled": "false",
        "client.allow_telemetry": "false",
        "dbms.fleet_manager.enabled": "false",
        "server.fleet_discovery.enabled": "false",
        "server.memory.heap.initial_size": f"{heap}m",
        "server.memory.heap.max_size": f"{heap}m",
        "server.memory.pagecache.size": f"{page_cache}m",
        # The log of transactions is for recovery only; the graph can be made again from the dumps.
        "db.tx_log.preallocate": "false",
        "db.tx_log.rotation.size": "64m",
        "db.tx_log.rotation.retention_policy": "keep_none",
        "db.checkpoint.interval.time": "5m",
        # Ends what somebody forgot in Browser; recograph's own transactions have time-outs of their own.
        "db.transaction.timeout": "10m",
        # The query log would hold the parameters, which are the customers' data.
        "db.logs.query.enabled": "OFF",
        # By default a stop takes eleven seconds, ten of which are this quiet period.
        "internal.dbms.bolt.netty_server_shutdown_quiet_period_duration": "0s",
    }


def effective_settings(home: Path, bolt_port: int, http_port: int) -> dict[str, str]:
    """The settings above with those of `overrides.conf` laid over them."""
    return settings(bolt_port, http_port, memory_limit()) | _overrides(home / OVERRIDES)


def served_port(values: dict[str, str]) -> int | None:
    """The port of Browser by these settings; None where they turn it off."""
    if values.get("server.http.enabled", "true").lower() != "true":
        return None
    return int(values["server.http.listen_address"].rpartition(":")[2])


def _overrides(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    lines = {}
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals:
            raise RecographError(f"{path}, line {number}: {line!r} isn't a setting; write NAME=VALUE.")
        lines[name.strip()] = value.strip()
    return lines


def write_settings(folder: Path, values: dict[str, str]) -> None:
    """Write neo4j.conf into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    head = f"# Written at every start; put settings of your own into ../{OVERRIDES}.\n"
    (folder / "neo4j.conf").write_text(head + "".join(f"{name}={value}\n" for name, value in values.items()))
