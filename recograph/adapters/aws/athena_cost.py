"""What Athena bills for: the bytes that a query scans."""

from collections.abc import Collection
from typing import Any

DOLLARS_A_TERABYTE = 5.0
"""List price in most regions."""
LEAST_BYTES = 10_000_000
"""What a query is billed for at least."""


def dollars(bytes_scanned: int) -> float:
    """What a query costs, about."""
    return max(bytes_scanned, LEAST_BYTES) / 1e12 * DOLLARS_A_TERABYTE


def usage(bytes_scanned: Collection[int]) -> dict[str, Any]:
    """What some queries came to, as metadata of an asset."""
    return {
        "athena_bytes_scanned": sum(bytes_scanned),
        "athena_cost_estimate_usd": round(sum(map(dollars, bytes_scanned)), 6),
    }
