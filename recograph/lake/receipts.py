"""Receipts: when a step succeeds, it is noted what it used, which files it made, and what its checks said.

A step whose receipt still holds needn't be run again. Receipts lie in HOME/receipts/CUSTOMER/DATE/STEP.json. If a
receipt is lost, or can't be read, the step is run again; nothing else happens.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class CheckSaid:
    """What a check said when the step succeeded: that all is well, or a warning."""

    name: str
    passed: bool
    text: str


@dataclass(frozen=True)
class Receipt:
    """What a step made."""

    made_of: str
    """Digest of everything that the step's result depends on."""
    files: dict[str, str]
    """Stamps of the files that it made, by key; see `Lake.stamps`."""
    checks: list[CheckSaid]


def digest(*facts: Any) -> str:
    """A digest of values that JSON can hold."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _path(home: Path, customer: str, date: str, step: str) -> Path:
    return home / "receipts" / customer / date / f"{step}.json"


def write_receipt(home: Path, customer: str, date: str, step: str, receipt: Receipt) -> None:
    """Note what a step made."""
    path = _path(home, customer, date, step)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps(asdict(receipt)), encoding="utf-8")
    draft.replace(path)


def read_receipt(home: Path, customer: str, date: str, step: str) -> Receipt | None:
    """What a step made when it last succeeded; None where that isn't known."""
    try:
        noted = json.loads(_path(home, customer, date, step).read_text(encoding="utf-8"))
        return Receipt(noted["made_of"], noted["files"], [CheckSaid(**check) for check in noted["checks"]])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def drop_receipt(home: Path, customer: str, date: str, step: str) -> None:
    """Forget what a step made, because it begins anew."""
    _path(home, customer, date, step).unlink(missing_ok=True)


def drop_other_receipts(home: Path, kept: Collection[str]) -> None:
    """Forget the receipts of partitions that the lake has no longer.

    Args:
        home: the installation's folder for state.
        kept: the partitions that the lake has, ``customer|date``.
    """
    for day in (home / "receipts").glob("*/*"):
        if f"{day.parent.name}|{day.name}" not in kept:
            shutil.rmtree(day, ignore_errors=True)


def drop_receipts(home: Path, customer: str) -> None:
    """Forget all receipts of a customer that is erased."""
    shutil.rmtree(home / "receipts" / customer, ignore_errors=True)
