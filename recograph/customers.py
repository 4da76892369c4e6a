"""``customers.yaml``: the single list of customers, from which partitions, dbt variables and Terraform follow.

Every value is the text that the file has: ``NO`` isn't false and ``010`` isn't a number, as they would be in YAML.
"""

import datetime
import re
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from recograph.errors import RecographError

_ID = re.compile(r"[a-z][a-z0-9_]{0,62}")
FIRST_DAY = datetime.date(2000, 1, 1)
"""The first day of which there can be a dump: each customer's days are partitions of all."""
TAKEN = frozenset({"docs", "index", "openapi"})
"""What can't be a customer's id, because `recograph serve` has something else at that address."""


def _text(value: str) -> str:
    if not value.strip():
        raise ValueError("is empty")
    if not value.isprintable():
        raise ValueError("has a line break or a control character")
    return value


Text = Annotated[str, AfterValidator(_text)]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DumpOptions(_Entry):
    """How a customer's dumps are to be read, where the dumps don't say it themselves."""

    dialect: Text | None = None
    """The server that they come from: a name in `recograph.dumps.dialects`, such as mysql."""
    encoding: Text | None = None
    """The character set of their bytes, such as latin1."""
    time_zone: Text | None = None
    """The time zone of times that name none, such as Europe/London; UTC where neither the dump nor this says it."""
    database: Text | None = None
    """The database, or in PostgreSQL the schema, whose tables are read, where a dump has several."""
    prefix: str = Field(default="", pattern=r"^[A-Za-z0-9_]*$")
    """What the names of their tables begin with, such as ``mdl_``."""


class Customer(_Entry):
    """A customer of the learning platform."""

    id: Text
    name: Text
    region: Text
    size: Text
    category: Text
    platform: Text = "docebo"
    """Which learning platform's schema its dumps have."""
    dump: DumpOptions = DumpOptions()


class CustomerList(_Entry):
    """The customers by id, and the first day for which any of them may have a dump."""

    customers: dict[str, Customer]
    start_date: datetime.date | None = Field(default=None, ge=FIRST_DAY)

    def __getitem__(self, customer_id: str) -> Customer:
        """The customer of that id.

        Raises:
            RecographError: the customer isn't in the list.
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
        content = yaml.load(path.read_text(encoding="utf-8"), _PlainText)  # noqa: S506 - it makes nothing but text
    except FileNotFoundError:
        raise RecographError(
            f"There is no {path}. Write it (`recograph init` makes an example), "
            "or let RECOGRAPH_DATA name the folder that has it."
        ) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise RecographError(f"{path} can't be read: {' '.join(str(error).split())}") from error
    entries = content.get("customers") if isinstance(content, dict) else None
    if not isinstance(entries, list) or not entries:
        raise RecographError(f"{path} needs a list named `customers` with at least one entry.")
    if unknown := [name for name in content if name not in CustomerList.model_fields]:
        raise RecographError(f"{path}: {', '.join(unknown)} is unknown. It has `customers` and `start_date` alone.")
    customers: dict[str, Customer] = {}
    for number, entry in enumerate(entries, start=1):
        customer = _customer(entry, f"{path}, entry {number}")
        if customer.id in customers:
            raise RecographError(
                f"{path}, entry {number}: customer {customer.id!r} is there twice. Ids must be unique."
            )
        customers[customer.id] = customer
    start = content.get("start_date")
    try:
        return CustomerList(customers=customers, start_date=start)
    except ValidationError:
        raise RecographError(
            f"{path}: start_date is {start!r}, but must be a date after 1999, such as 2026-01-01."
        ) from None


class _PlainText(yaml.BaseLoader):
    """Reads each scalar as text, and refuses a mapping that has a key twice, of which YAML would keep the last.

    Nor does it take merges of mappings, which YAML 1.2 no longer has.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A mapping with each key once."""
        if merge := next((key for key, _ in node.value if key.value == "<<"), None):
            problem = "a mapping can't be merged into another (<<) here: write its values out"
            raise yaml.constructor.ConstructorError(None, None, problem, merge.start_mark)
        names = [self.construct_object(key, deep=True) for key, _ in node.value]
        if twice := [str(name) for name in dict.fromkeys(map(str, names)) if list(map(str, names)).count(name) > 1]:
            raise yaml.constructor.ConstructorError(None, None, f"{', '.join(twice)} is there twice", node.start_mark)
        return super().construct_mapping(node, deep)


def _customer(entry: Any, where: str) -> Customer:
    wanted = [name for name, field in Customer.model_fields.items() if field.is_required()]
    if not isinstance(entry, dict):
        raise RecographError(f"{where}: not a mapping. Each entry has {', '.join(wanted)}.")
    try:
        customer = Customer.model_validate(entry)
    except ValidationError as error:
        raise RecographError(f"{where}: {_problem(error, wanted)}") from None
    check_customer_id(customer.id, f"{where}: ")
    if customer.id in TAKEN:
        raise RecographError(
            f"{where}: id {customer.id!r} can't be used, because the pages have something else at /{customer.id}. "
            "Choose another."
        )
    return customer


def _problem(error: ValidationError, wanted: list[str]) -> str:
    """What is wrong with an entry first of all, in one sentence."""
    names = {kind: [] for kind in ("missing", "extra_forbidden")}  # type: dict[str, list[str]]
    for problem in error.errors():
        names.setdefault(problem["type"], []).append(".".join(map(str, problem["loc"])))
    optional = [name for name in Customer.model_fields if name not in wanted]
    if names["missing"]:
        return f"{', '.join(names['missing'])} is missing. Each entry has {', '.join(wanted)}."
    if names["extra_forbidden"]:
        return (
            f"{', '.join(names['extra_forbidden'])} is unknown. Each entry has {', '.join(wanted)}, and may have "
            f"{', '.join(optional)} (with {', '.join(DumpOptions.model_fields)})."
        )
    problem = error.errors()[0]
    reason = problem["msg"].removeprefix("Value error, ")
    return f"{'.'.join(map(str, problem['loc']))} {reason[:1].lower()}{reason[1:]}. Give a text on one line."


def check_customer_id(customer: str, where: str = "") -> None:
    """Refuse what can't be a customer's id.

    Raises:
        RecographError: it can't be one; the message begins with `where`.
    """
    if not _ID.fullmatch(customer):
        raise RecographError(
            f"{where}id {customer!r} can't be used. It names folders, partitions and databases: "
            "start with a letter, then lower-case letters, digits and _, 63 at most."
        )
