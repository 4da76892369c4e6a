"""A backfill and a re-execution as the UI asks for them: by its own GraphQL, of what `recograph dev` has started."""

import json
import re
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import neo4j as neo4j_driver
import pytest

from recograph.customers import load_customers
from recograph_tests.aws.processes import answers, free_port
from recograph_tests.graph.marts import Graph, actual
from recograph_tests.pipeline.installation import COMMAND, Installation
from recograph_tests.pipeline.test_run import DAY1, DAY2, dumps, without_similarities
from recograph_tests.pipeline.truth import graph_of

_ASSETS = "{ assetNodes { assetKey { path } isPartitioned isMaterializable } }"
_LAUNCH = """
mutation ($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
  __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }
"""
_BACKFILL = "query ($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status } } }"
_RUNS = """
query ($filter: RunsFilter) { runsOrError(filter: $filter) { ... on Runs { results {
  runId status tags { key value }
  eventConnection { events { __typename ... on ExecutionStepFailureEvent { stepKey error { message } } } } } } } }
"""
_AGAIN = """
mutation ($params: ReexecutionParams!) { launchPipelineReexecution(reexecutionParams: $params) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }
"""


@dataclass(frozen=True)
class Interface:
    """Dagster's web server."""

    address: str

    def ask(self, query: str, **variables: Any) -> Any:
        """What a query or mutation answers."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.address}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as response:
            answer = json.load(response)
        assert "errors" not in answer, answer
        (value,) = answer["data"].values()
        return value

    def runs(self, tag: str, value: str) -> list[dict[str, Any]]:
        """The runs with a tag."""
        runs = self.ask(_RUNS, filter={"tags": [{"key": tag, "value": value}]})["results"]
        return [run | {"tags": {tag["key"]: tag["value"] for tag in run["tags"]}} for run in runs]


@contextmanager
def interface(installation: Installation) -> Iterator[Interface]:
    """What `recograph dev` starts: the web server with its code location, and the daemon that works backfills off."""
    log = installation.data.parent / "dev.log"
    with log.open("w") as output:
        command = subprocess.Popen(
            [str(COMMAND), "dev", "--port", str(free_port())],
            env=installation.environ,
            cwd=installation.data,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for(lambda: re.search(r"^Dagster UI: (\S+)$", log.read_text(), re.M) or command.poll() is not None)
        (address,) = re.findall(r"^Dagster UI: (\S+)$", log.read_text(), re.M)
        wait_for(lambda: answers(f"{address}/server_info", b"dagster_webserver_version"))
        yield Interface(address)
    finally:
        command.send_signal(signal.SIGINT)
        command.wait(120)


def wait_for(condition: Callable[[], object], seconds: float = 500) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.5)


def truth(installation: Installation, **days: str) -> Graph:
    listed = load_customers(installation.data)
    return graph_of({listed[customer]: dumps(installation.data, day)[customer] for customer, day in days.items()})


@pytest.mark.timeout(1200)
def test_a_backfill_fails_only_where_there_is_no_usable_dump_and_goes_on_once_there_is(
    installation: Installation, sample: Any, neo4j: neo4j_driver.Driver
) -> None:
    shutil.copytree(sample, installation.data, dirs_exist_ok=True, ignore=shutil.ignore_patterns("customer_2"))
    cut, missing = dumps(installation.data, DAY2)["customer_1"], dumps(installation.data, DAY1)["customer_3"]
    whole = cut.read_bytes()
    cut.write_bytes(whole[: len(whole) // 2])
    missing.unlink()
    with interface(installation) as dagster:
        second = installation.recograph("dev")
        assert second.returncode == 1
        assert f"is running for {installation.home} already, with its UI at {dagster.address}." in second.stderr
        assets = [
            {"path": asset["assetKey"]["path"]}
            for asset in dagster.ask(_ASSETS)
            if asset["isPartitioned"] and asset["isMaterializable"]
        ]
        partitions = [f"{customer}|{day}" for customer in ("customer_1", "customer_3") for day in (DAY1, DAY2)]
        launched = dagster.ask(_LAUNCH, params={"assetSelection": assets, "partitionNames": partitions})
        backfill = launched["backfillId"]
        wait_for(lambda: dagster.ask(_BACKFILL, id=backfill)["status"] != "REQUESTED")
        runs = {run["tags"]["dagster/partition"]: run for run in dagster.runs("dagster/backfill", backfill)}
        assert runs.keys() == set(partitions)
        broken = {f"customer_1|{DAY2}": r"cut on its way", f"customer_3|{DAY1}": r"no dump of customer_3"}
        for partition, run in runs.items():
            assert run["status"] == ("FAILURE" if partition in broken else "SUCCESS"), partition
        for partition, text in broken.items():
            messages = failures(runs[partition])
            assert any(re.search(text, message) for message in messages), messages
            assert not any("Traceback" in message for message in messages)
        usable = {"customer_1": DAY1, "customer_3": DAY2}
        assert without_similarities(actual(neo4j)) == truth(installation, **usable)

        cut.write_bytes(whole)
        parent = runs[f"customer_1|{DAY2}"]["runId"]
        again = dagster.ask(_AGAIN, params={"parentRunId": parent, "strategy": "FROM_FAILURE"})["run"]["runId"]

        def child() -> dict[str, Any]:
            return next(run for run in dagster.runs("dagster/parent_run_id", parent) if run["runId"] == again)

        wait_for(lambda: child()["status"] in ("SUCCESS", "FAILURE", "CANCELED"))
        assert child()["status"] == "SUCCESS", failures(child())
    assert without_similarities(actual(neo4j)) == truth(installation, **usable | {"customer_1": DAY2})


def failures(run: dict[str, Any]) -> list[str]:
    """What the failed steps of a run say."""
    return [event["error"]["message"] for event in run["eventConnection"]["events"] if "error" in event]
