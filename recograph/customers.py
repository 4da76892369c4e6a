"""``customers.yaml``: the single list of customers, from which partitions, dbt variables and Terraform follow."""

import re
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from recograph.errors import RecographError

_ID = re.compile(r"[a-z][a-z0-9_]{0,62}")


@dataclass(frozen=True)
class Customer:
    """A customer of the learning platform."""

    id: str
    name: str
    region: str
    size: str
    category: str


@dataclass(frozen=True)
class CustomerList:
    """The customers by id, and the first day for which any of them may have a dump."""

    customers: dict[str, Customer]
    start_date: date | None = None

    def __getitem__(self, customer_id: str) -> Customer:
        """The customer of that id.

        Raises:
            RecographError: it isn't in the list.
        """
        try:
            return self.customers[customer_id]
        except KeyError:
            known = ", ".join(self.customers)
            raise RecographError(
                f"Customer {customer_id!r} isn't in customers.yaml, which lists: {known}. Add it, or name one of them."
            ) from None


def load_customers(data: Path) -> CustomerList:
    """Read and check ``DATA/customers.yaml``.

    Raises:
        RecographError: the file is missing, isn't YAML, or an entry is wrong; the message names file and entry.
    """
    path = data / "customers.yaml"
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RecographError(
            f"There is no {path}. Write it (data/customers.yaml in the repository is an example), "
            "or let RECOGRAPH_DATA name the folder that has it."
        ) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RecographError(f"{path} can't be read: {' '.join(str(error).split())}") from error
    entries = content.get("customers") if isinstance(content, dict) else None
    if not isinstance(entries, list) or not entries:
        raise RecographError(f"{path} needs a list named `customers` with at least one entry.")
    customers: dict[str, Customer] = {}
    for number, entry in enumerate(entries, start=1):
        customer = _customer(entry, f"{path}, entry {number}")
        if customer.id in customers:
            raise RecographError(
                f"{path}, entry {number}: customer {customer.id!r} is there twice. Ids must be unique."
            )
        customers[customer.id] = customer
    start = content.get("start_date")
    if start is not None and type(start) is not date:
        raise RecographError(f"{path}: start_date is {start!r}, but must be a date such as 2026-01-01.")
    return CustomerList(customers, start)


def _customer(entry: Any, where: str) -> Customer:
    wanted = [field.name for field in fields(Customer)]
    if not isinstance(entry, dict):
        raise RecographError(f"{where}: not a mapping. Each entry has {', '.join(wanted)}.")
    if missing := [name for name in wanted if entry.get(name) in (None, "")]:
        raise RecographError(f"{where}: {', '.join(missing)} is missing. Each entry has {', '.join(wanted)}.")
    if unknown := [str(name) for name in entry if name not in wanted]:
        raise RecographError(f"{where}: {', '.join(unknown)} is unknown. Each entry has {', '.join(wanted)} alone.")
    values = {name: str(entry[name]) for name in wanted}
    check_customer_id(values["id"], f"{where}: ")
    return Customer(**values)


def check_customer_id(customer: str, where: str = "") -> None:
    """Refuse what can't be a customer's id.

    Raises:
        RecographError: it can't; the message begins with `where`.
    """
    if not _ID.fullmatch(customer):
        raise RecographError(
            f"{where}id {customer!r} can't be used. It names folders, partitions and databases: "
            "start with a letter, then lower-case letters, digits and _, 63 at most."
        )
