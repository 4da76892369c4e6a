"""What isn't known to be made is made again: a receipt that is lost or broken says nothing."""

import json
from pathlib import Path

import pytest

from recograph.lake.receipts import (
    CheckSaid,
    Receipt,
    digest,
    drop_other_receipts,
    drop_receipt,
    drop_receipts,
    read_receipt,
    write_receipt,
)

STEP = ("customer_1", "2026-11-01", "landing")
RECEIPT = Receipt(digest("a", 1), {"landing/t.parquet": "stamp"}, [CheckSaid("rows", True, "")])


def test_a_receipt_is_read_as_it_was_written_until_it_is_dropped(tmp_path: Path) -> None:
    write_receipt(tmp_path, *STEP, RECEIPT)
    other = ("customer_2", *STEP[1:])
    write_receipt(tmp_path, *other, RECEIPT)
    assert read_receipt(tmp_path, *STEP) == RECEIPT
    drop_receipt(tmp_path, *STEP)
    assert read_receipt(tmp_path, *STEP) is None
    assert read_receipt(tmp_path, *other) == RECEIPT
    drop_receipts(tmp_path, "customer_2")
    assert read_receipt(tmp_path, *other) is None


@pytest.mark.parametrize("broken", ["", "{", "[]", '{"made_of": "x"}', '{"made_of": "", "files": {}, "checks": [{}]}'])
def test_a_broken_receipt_is_none(tmp_path: Path, broken: str) -> None:
    write_receipt(tmp_path, *STEP, RECEIPT)
    (path,) = (tmp_path / "receipts").rglob("*.json")
    assert json.loads(path.read_text())["made_of"] == RECEIPT.made_of
    path.write_text(broken)
    assert read_receipt(tmp_path, *STEP) is None


def test_what_the_lake_has_no_longer_has_no_receipt(tmp_path: Path) -> None:
    for customer, date in (("acme", "2026-11-01"), ("acme", "2026-11-02"), ("zeta", "2026-11-01")):
        write_receipt(tmp_path, customer, date, "landing", Receipt("of", {}, []))
    drop_other_receipts(tmp_path, {"acme|2026-11-02", "zeta|2026-11-01", "other|2026-11-01"})
    assert sorted(path.relative_to(tmp_path / "receipts").as_posix() for path in tmp_path.rglob("*.json")) == [
        "acme/2026-11-02/landing.json",
        "zeta/2026-11-01/landing.json",
    ]
