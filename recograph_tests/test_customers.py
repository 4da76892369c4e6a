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
        (GOOD.replace("acme", "docs"), r"id 'docs' can't be used, because the pages have something else at /docs"),
        (GOOD.replace("}", ", colour: red}"), "colour is unknown"),
        ("start_date: soon\n" + GOOD, "start_date is 'soon'"),
        ("start_date: 0206-01-01\n" + GOOD, "start_date is '0206-01-01', but must be a date after 1999"),
        (GOOD.replace("mid", "''"), "entry 1: size is empty"),
        (GOOD.replace("mid", '"a\\nb"'), "size has a line break"),
        (GOOD.replace("mid", "[1]"), "entry 1: size input should be a valid string"),
        (GOOD.replace("}", ", size: large}"), "size is there twice"),
        (GOOD.replace("{", "{<<: {size: large}, "), r"a mapping can't be merged into another \(<<\).*line 2, column 6"),
        (GOOD.replace("}", ", dump: {dialekt: mysql}}"), r"dump.dialekt is unknown.*dialect, encoding"),
        (GOOD.replace("}", ", dump: mysql}"), "entry 1: dump "),
        (GOOD.replace("}", ", dump: {prefix: '; drop'}}"), "dump.prefix "),
        ("colour: red\n" + GOOD, "colour is unknown"),
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


def test_values_are_the_text_that_was_written(tmp_path: Path) -> None:
    listed = load_customers(write(tmp_path, "customers: [{id: on, name: 1e3, region: NO, size: 010, category: ~}]"))
    customer = listed["on"]
    assert (customer.name, customer.region, customer.size, customer.category) == ("1e3", "NO", "010", "~")


def test_how_dumps_are_to_be_read_can_be_declared(tmp_path: Path) -> None:
    assert load_customers(write(tmp_path, GOOD))["acme"].platform == "docebo"
    dump = "dump: {dialect: mysql, encoding: latin1, time_zone: Europe/London, prefix: m_}"
    customer = load_customers(write(tmp_path, GOOD.replace("}", f", platform: moodle, {dump}}}")))["acme"]
    assert customer.platform == "moodle"
    assert (customer.dump.dialect, customer.dump.encoding) == ("mysql", "latin1")
    assert (customer.dump.time_zone, customer.dump.prefix) == ("Europe/London", "m_")
