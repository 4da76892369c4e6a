"""Where files lie in a lake, the same in a folder and in S3.

A customer has one platform, so all tables in a customer's folder are that platform's. If two platforms have tables of
the same name, these lie in the folders of different customers. `models/staging/PLATFORM/sources.yml` gives dbt the same
places, and on AWS Terraform's `glue.tf` gives them to each customer's crawler.
"""

import re

from recograph.settings import Settings

PARTITIONS = {
    "landing/": re.compile(r"(landing/(?P<customer>[^/]+)/[^/]+/)snapshot_date=(?P<date>\d{4}-\d\d-\d\d)/"),
    "marts/": re.compile(r"(marts/[^/]+/customer=(?P<customer>[^/]+)/)snapshot_date=(?P<date>\d{4}-\d\d-\d\d)/"),
}
"""What the keys of the partitions below a prefix look like; the first group is the table's."""
RESULTS = "athena-results/"
"""The prefix of everything that Athena writes for a query; the bucket deletes it after some days."""
UNLOADED = f"{RESULTS}unload/"
"""The prefix of the files that Athena writes when a large result is read."""
STAGED = f"{RESULTS}staged/"
"""The prefix of files that are sent to S3 before they are published; the bucket deletes what is left here, too."""


def athena_results(settings: Settings) -> str:
    """Where Athena writes the results of queries: RECOGRAPH_ATHENA_RESULTS, or else a folder of the lake."""
    return settings.athena_results or f"{settings.lake}/{RESULTS}"


def dumps_folder(customer: str = "") -> str:
    """The prefix of the keys of a customer's dumps, or of all dumps, where they are in the same bucket as the lake."""
    return f"dumps/{customer}/" if customer else "dumps/"


def erased_folder(customer: str) -> str:
    """The prefix of what the lake keeps about a customer's erased people."""
    return f"erased/{customer}/"


def erased_list(customer: str) -> str:
    """The prefix of the list of a customer's erased people: one empty object per person, with the id as its name."""
    return f"{erased_folder(customer)}users/"


def customer_folder(customer: str) -> str:
    """The prefix of the keys of all landed tables of a customer."""
    return f"landing/{customer}/"


def landing_folder(customer: str, table: str) -> str:
    """The prefix of the keys of a landed table, all dates."""
    return f"{customer_folder(customer)}{table}/"


def landing_partition(customer: str, table: str, date: str) -> str:
    """The prefix of the keys of a landed table's partition."""
    return f"{landing_folder(customer, table)}snapshot_date={date}/"


def landing_key(customer: str, table: str, date: str) -> str:
    """The key of a landed table's partition."""
    return f"{landing_partition(customer, table, date)}{table}.parquet"


MART_PARTITION = ("customer", "snapshot_date")
"""The columns that name a mart's partition; its last two."""


def mart_root(mart: str) -> str:
    """The prefix of the keys of a mart, all customers and dates."""
    return f"marts/{mart}/"


def mart_folder(mart: str, customer: str) -> str:
    """The prefix of the keys of a customer's part of a mart, all dates."""
    return f"{mart_root(mart)}customer={customer}/"


def mart_partition(mart: str, customer: str, date: str) -> str:
    """The prefix of the keys of a mart's partition."""
    return f"{mart_folder(mart, customer)}snapshot_date={date}/"


def date_of(key: str) -> str:
    """The snapshot date of the partition to which a key belongs; empty where people put something that is of none."""
    match = re.search(r"/snapshot_date=(\d{4}-\d\d-\d\d)/", key)
    return match[1] if match else ""


def remaking(named: str) -> str:
    """What to do about a broken file: the command that makes its partition again.

    Args:
        named: a key or an address, or an engine's message that has one.
    """
    for partition in PARTITIONS.values():
        if match := partition.search(named):
            return f"Make it again: recograph run --customer {match['customer']} --date {match['date']}"
    return "Make it again with `recograph run`."
