"""Erasing a person tells which dumps still have rows about the person."""

from pathlib import Path

from recograph.adapters.local.folder_inbox import LocalInbox
from recograph.adapters.local.folder_lake import LocalLake
from recograph.customers import Customer, DumpOptions
from recograph.graph.erase import Erased
from recograph.operating.erasure import erase_user

DUMP = "INSERT INTO core_user (idst, valid) VALUES (7,1);\n"


def test_dumps_are_looked_at_as_customers_yaml_says(tmp_path: Path) -> None:
    path = tmp_path / "data" / "customer_1" / "2026-01-01.sql"
    path.parent.mkdir(parents=True)
    path.write_text(DUMP)
    inbox, lake = LocalInbox(tmp_path / "data"), LocalLake(root=str(tmp_path / "lake"), home=str(tmp_path / "home"))
    options = DumpOptions(dialect="mysql")
    customer = Customer(id="customer_1", name="-", region="-", size="-", category="-", dump=options)
    erasure = erase_user(inbox, lake, customer, 7, Erased)
    assert erasure.problems == []
    assert erasure.remaining == [str(path)]
    assert erase_user(inbox, lake, customer, 8, Erased).remaining == []
