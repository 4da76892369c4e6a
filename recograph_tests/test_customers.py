import datetime
from pathlib import Path

import pytest

from recograph.customers import load_customers
from recograph.errors import RecographError

GOOD = "customers:\n  - {id: acme, name: O'Neil & Sons, region: eu-west-2, size: mid, category: pharma}\n"


def write(folder: Path, text: str) -> Path:
    (folder / "customers.yaml").write_text(text)
    return folder


def test_customers_are_read_by_id(tmp_path: Path) -> None:
    listed = load_customers(write(tmp_path, "start_date: 2026-01-05\n" + GOOD))
    assert listed["acme"].name == "O'Neil & Sons"
    assert listed.start_date == datetime.date(2026, 1, 5)


def test_an_unknown_customer_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(RecographError, match=r"'nobody' isn't in customers.yaml, which lists: acme"):
        load_customers(write(tmp_path, GOOD))["nobody"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("customers: [", "can't be read"),
        ("[]", "needs a list named `customers`"),
        ("customers: []", "at least one entry"),
        ("customers: [acme]", "entry 1: not a mapping"),
        ("customers: [{id: acme}]", "entry 1: name, region, size, category is missing"),
        (GOOD + "  - {id: acme, name: A, region: r, size: s, category: c}", "entry 2: customer 'acme' is there twice"),
        (GOOD.replace("acme", "../acme"), r"id '../acme' can't be used"),
        (GOOD.replace("}", ", colour: red}"), "colour is unknown"),
        ("start_date: soon\n" + GOOD, "start_date is 'soon'"),
    ],
)
def test_a_malformed_list_is_one_clear_message(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(RecographError, match=message) as error:
        load_customers(write(tmp_path, text))
    assert str(tmp_path / "customers.yaml") in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_list_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(RecographError, match=r"There is no .*customers\.yaml"):
        load_customers(tmp_path)
