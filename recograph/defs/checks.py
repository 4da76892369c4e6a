"""The results of asset checks: each result is about one partition, and its message says which."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from recograph.defs.partitions import Snapshot


def check_result(
    snapshot: Snapshot,
    key: dg.AssetCheckKey,
    passed: bool,
    text: str = "",
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR,
    metadata: Mapping[str, Any] | None = None,
) -> dg.AssetCheckResult:
    """A check's result, whose message begins with customer and day."""
    return dg.AssetCheckResult(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=passed,
        severity=severity,
        description=f"{snapshot}: {text or ('holds.' if passed else 'does not hold.')}",
        metadata=metadata,
    )
