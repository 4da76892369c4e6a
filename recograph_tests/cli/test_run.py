"""What `recograph run` makes of what its worker tells, whatever becomes of the worker."""

import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.progress import Progress
from typer.testing import CliRunner

from recograph.adapters.local.folder_inbox import LocalInbox
from recograph.adapters.neo4j.driver import Server
from recograph.cli import app, run
from recograph.cli.summary import Outcome, print_summary
from recograph.errors import RecographError, UnavailableError
from recograph.lake.interfaces import DumpFile
from recograph.settings import Settings

DAYS = ["2026-11-01", "2026-11-02"]


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What comes of a worker that tells these lines and ends: the outcome of its customer, and what people read."""
    monkeypatch.setenv("RECOGRAPH_HOME", str(tmp_path))
    monkeypatch.setenv("NEO4J_URI", "bolt://127.0.0.1:9")
    monkeypatch.setenv("NEO4J_PASSWORD", "none")

    def tell(*events: dict[str, Any] | str) -> tuple[Outcome, str]:
        lines = [event if isinstance(event, str) else json.dumps({"date": DAYS[0]} | event) for event in events]
        worker = tmp_path / "worker"
        worker.write_text(f"#!{sys.executable}\ninput()\nprint({chr(10).join(lines)!r})\n")
        worker.chmod(0o755)
        text = io.StringIO()
        request = {"partitions": {"acme": DAYS}, "run_config": {}, "force": False}
        with monkeypatch.context() as patch, Progress(disable=True) as progress:
            patch.setattr(sys, "executable", str(worker))
            outcomes, graph = run._run_worker(Settings.from_env(), request, progress)
        print_summary(Console(file=text, width=400), Settings.from_env(), outcomes, graph, 1)
        return outcomes[0], text.getvalue()

    return tell


ENDED = {"kind": "ended", "customer": "acme", "succeeded": True}


def test_days_that_all_succeeded_are_a_success_and_lines_of_libraries_say_nothing(told: Any) -> None:
    outcome, text = told("a warning of some library", "17", ENDED, ENDED | {"date": DAYS[1]})
    assert (outcome.succeeded, outcome.failures) == (True, [])
    assert "2 partitions in 1 s. Checks: 0 passed, 0 failed." in text


def test_a_worker_that_ends_without_a_word_is_a_failure_with_its_log(told: Any, tmp_path: Path) -> None:
    for events in ([], [ENDED]):  # before the first day, and before the second
        outcome, text = told(*events)
        assert not outcome.succeeded
        assert f"failed: acme: The run ended unexpectedly; its log is {tmp_path / 'logs' / 'worker.log'}." in text


def test_a_run_that_ended_without_a_reason_is_a_failure_of_its_day(told: Any) -> None:
    outcome, _ = told(ENDED, ENDED | {"date": DAYS[1], "succeeded": False})
    assert not outcome.succeeded
    assert outcome.failures == [f"acme {DAYS[1]} was canceled or ended unexpectedly."]


def test_what_a_check_and_its_step_both_say_is_said_once_and_warnings_with_their_days(told: Any) -> None:
    check = {"kind": "check", "customer": "acme", "name": "graph/nodes/User: count", "passed": False}
    late = check | {"warning": True, "description": "acme 2026-11-01: late"}
    _, text = told(
        check | {"warning": False, "description": "12 in the graph"},
        {"kind": "failed", "customer": "acme", "message": "12 in the graph"},
        late,
        late | {"date": DAYS[1], "description": "acme 2026-11-02: late"},
        ENDED | {"succeeded": False},
    )
    assert text.count("12 in the graph") == 1
    assert "warning: acme 2026-11-01, 2026-11-02: graph/nodes/User: count: late" in text


def test_a_graph_that_cannot_be_counted_is_told(told: Any) -> None:
    _, text = told({"kind": "graph", "trouble": "Neo4j [at] x"}, ENDED, ENDED)
    assert "The graph can't be counted: Neo4j [at] x" in text


def test_what_keeps_the_assets_from_being_loaded_is_told_of_every_customer(told: Any) -> None:
    outcome, text = told({"kind": "failed", "customer": None, "message": "dbt can't parse the project."})
    assert not outcome.succeeded
    assert "failed: acme: dbt can't parse the project." in text


class Inbox(LocalInbox):
    """Dumps of yesterday and of a day far ahead; those of one customer can't be listed."""

    def dumps(self, customer: str) -> dict[str, DumpFile]:
        if customer == "locked":
            raise RecographError("locked can't be read.")
        return {day: DumpFile(customer, day, f"{customer}/{day}.sql", 1, "1") for day in (DAYS[0], "2999-01-01")}


@pytest.fixture
def choose(tmp_path: Path) -> Any:
    entries = [f"  - {{id: {id_}, name: A, region: r, size: s, category: c}}\n" for id_ in ("acme", "locked")]
    (tmp_path / "customers.yaml").write_text(f"customers:\n{''.join(entries)}")
    settings = Settings.from_env({"RECOGRAPH_DATA": str(tmp_path)})
    return lambda customers, dates: run.choose_partitions(settings, Inbox(tmp_path), customers, dates)


def test_days_to_come_are_told_and_left_out_and_who_cannot_be_listed_is_passed_over(
    choose: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    for dates in (None, DAYS):  # the second of which nobody has
        assert choose(None, dates) == ({"acme": DAYS[:1]}, {"locked": "it is passed over: locked can't be read."})
        assert capsys.readouterr().err == (
            "acme has dumps that are dated before 2000 or in the future and aren't read: 2999-01-01.\n"
        )


def test_a_store_that_is_away_is_asked_once(choose: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def away(_: Inbox, customer: str) -> dict[str, DumpFile]:
        asked.append(customer)
        raise UnavailableError("s3://lake: AWS can't be reached.")

    monkeypatch.setattr(Inbox, "dumps", away)
    with pytest.raises(UnavailableError):
        choose(None, None)
    assert asked == ["acme"]


def test_what_was_asked_for_and_is_not_there_is_an_error(choose: Any) -> None:
    for customers, dates, message in (
        (["locked"], None, "^locked can't be read"),
        (["acme", "locked"], None, "^locked can't be read"),
        (["acme"], DAYS, f"There is no dump of acme for {DAYS[1]}"),
        (None, DAYS[1:], f"There is no dump of acme for {DAYS[1]}"),
        (["nobody"], None, "nobody"),
    ):
        with pytest.raises(RecographError, match=message):
            choose(customers, dates)


def test_what_is_asked_for_reaches_the_worker_and_who_was_passed_over_fails_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECOGRAPH_HOME", str(tmp_path))
    monkeypatch.setenv("NEO4J_URI", "bolt://127.0.0.1:9")
    monkeypatch.setenv("DAGSTER_HOME", "")
    asked: list[dict[str, Any]] = []
    summed: list[Outcome] = []

    def executed(
        settings: Settings, request: dict[str, Any], progress: Progress
    ) -> tuple[list[Outcome], dict[str, Any]]:
        asked.append(request)
        return [Outcome("acme", DAYS, succeeded=True)], {}

    passed_over = {"locked": "it is passed over: locked can't be read."}
    monkeypatch.setattr(run, "choose_partitions", lambda *_: ({"acme": DAYS}, passed_over))
    monkeypatch.setattr(run, "_reach_neo4j", lambda *_: None)
    monkeypatch.setattr(run, "_run_worker", executed)
    monkeypatch.setattr(run, "print_summary", lambda console, settings, outcomes, *_: summed.extend(outcomes))
    options = ["--allow-older", "--repair", "--force", "--max-removed-share", "0.5", "--max-row-drop", "0"]
    options.append("--allow-missing-columns")
    ran = [CliRunner().invoke(app, ["run", *given], catch_exceptions=False) for given in (options, [])]
    assert [one.exit_code for one in ran] == [1, 1]
    assert [(outcome.customer, outcome.failures) for outcome in summed[:2]] == [
        ("acme", []),
        ("locked", [passed_over["locked"]]),
    ]
    graph = {"allow_older": True, "repair": True, "max_removed_share": 0.5}
    ops = {"graph": {"config": graph}, "landing": {"config": {"max_row_drop": 0.0, "allow_missing_columns": True}}}
    assert asked == [
        {"partitions": {"acme": DAYS}, "run_config": {"ops": ops}, "force": True},
        {"partitions": {"acme": DAYS}, "run_config": {"ops": {}}, "force": False},
    ]


def test_it_ends_with_the_graph_the_checks_and_the_addresses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server("bolt://127.0.0.1:9", "neo4j", "", "http://127.0.0.1:7474/browser/", "/home/[b]/password")
    monkeypatch.setattr("recograph.adapters.neo4j.driver.find_server", lambda settings: server)
    counts = {"total": {"nodes/User": 1234}, "by_customer": {"acme": {"nodes/User": 34}, "zeta": {"nodes/User": 1200}}}
    text = io.StringIO()
    outcomes = [Outcome("acme", DAYS, succeeded=True, checks_passed=7)]
    print_summary(Console(file=text, width=120), Settings.from_env({}), outcomes, counts, 61)
    said = text.getvalue()
    assert re.search(r"nodes/User +│ 34 +│ 1,200 │ 1,234", said)
    assert "2 partitions in 61 s. Checks: 7 passed, 0 failed." in said
    assert "The graph: http://127.0.0.1:7474/browser/ (user neo4j, password in /home/[b]/password)" in said
    assert "run `make dev`" in said
