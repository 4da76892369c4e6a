"""Athena's query operations: start, describe, results, stop; each query runs on Trino in a thread of its own."""

import json
import time
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import trino
from trino.exceptions import TrinoQueryError, TrinoUserError

from recograph_tests.aws.front import ddl
from recograph_tests.aws.front.emulator import Emulator
from recograph_tests.aws.front.sql import RefusedError, Statement, TrinoStatement, parse, to_trino
from recograph_tests.aws.front.values import describe, write
from recograph_tests.aws.trino import CATALOG

_NODES_SECONDS = 30
"""Athena always has nodes; Trino may find its own only seconds after it has started."""
_NO_OUTPUT = (
    "No output location provided. An output location is required either through the Workgroup result "
    "configuration setting or as an API input."
)


@dataclass
class Query:
    """A query from its submission on."""

    sql: str
    workgroup: str
    database: str
    staging: str
    scan_limit: int | None
    parameters: list[str] | None
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    state: str = "QUEUED"
    submitted: float = field(default_factory=time.time)
    completed: float | None = None
    reason: str | None = None
    statement: Statement | None = None
    output: str = ""
    manifest: str | None = None
    columns: list[dict[str, Any]] = field(default_factory=list)
    rows: list[list[str | None]] = field(default_factory=list)
    with_header: bool = False
    changed_rows: int = 0
    scanned: int = 0
    stopped: bool = False
    cursor: Any = None


class InvalidRequestError(Exception):
    """Athena answers InvalidRequestException."""


class Athena:
    """Athena's API over one Trino, or over none: then every query fails and says so."""

    def __init__(self, emulator: Emulator) -> None:
        self.trino_port: int | None = None
        self._emulator = emulator
        self._queries: dict[str, Query] = {}
        self._threads = ThreadPoolExecutor(8, thread_name_prefix="athena")

    def call(self, operation: str, request: dict[str, Any], headers: Mapping[str, str]) -> tuple[int, Any]:
        """Answer one request."""
        own = {
            "StartQueryExecution": self._start,
            "GetQueryExecution": self._get,
            "GetQueryResults": self._results,
            "StopQueryExecution": self._stop,
        }.get(operation)
        if own is None:
            return self._emulator.call(f"AmazonAthena.{operation}", request, headers)
        try:
            return 200, own(request, headers)
        except InvalidRequestError as error:
            return 400, {"__type": "InvalidRequestException", "Message": str(error)}

    def _start(self, request: dict[str, Any], headers: Mapping[str, str]) -> Any:
        name = request.get("WorkGroup", "primary")
        status, answer = self._emulator.call("AmazonAthena.GetWorkGroup", {"WorkGroup": name}, headers)
        if status != 200:
            raise InvalidRequestError("WorkGroup is not found.")
        settings = answer["WorkGroup"].get("Configuration", {})
        own = settings.get("ResultConfiguration", {}).get("OutputLocation")
        wanted = request.get("ResultConfiguration", {}).get("OutputLocation")
        staging = own if own and (settings.get("EnforceWorkGroupConfiguration") or not wanted) else wanted
        if not staging:
            raise InvalidRequestError(_NO_OUTPUT)
        query = Query(
            sql=request["QueryString"],
            workgroup=name,
            database=request.get("QueryExecutionContext", {}).get("Database", "default"),
            staging=staging.rstrip("/") + "/",
            scan_limit=settings.get("BytesScannedCutoffPerQuery"),
            parameters=request.get("ExecutionParameters"),
        )
        query.output = f"{query.staging}{query.id}.csv"
        self._queries[query.id] = query
        self._threads.submit(self._run, query)
        return {"QueryExecutionId": query.id}

    def _find(self, request: dict[str, Any]) -> Query:
        try:
            return self._queries[request["QueryExecutionId"]]
        except KeyError:
            raise InvalidRequestError(f"QueryExecution {request['QueryExecutionId']} was not found") from None

    def _get(self, request: dict[str, Any], _: Mapping[str, str]) -> Any:
        query = self._find(request)
        milliseconds = int(((query.completed or time.time()) - query.submitted) * 1000)
        status: dict[str, Any] = {"State": query.state, "SubmissionDateTime": query.submitted}
        if query.completed:
            status["CompletionDateTime"] = query.completed
        if query.reason:
            error = {"ErrorCategory": 2, "ErrorType": 1006, "Retryable": False, "ErrorMessage": query.reason}
            status |= {"StateChangeReason": query.reason, "AthenaError": error}
        statistics: dict[str, Any] = {
            "EngineExecutionTimeInMillis": milliseconds,
            "TotalExecutionTimeInMillis": milliseconds,
            "DataScannedInBytes": query.scanned,
        }
        if query.manifest:
            statistics["DataManifestLocation"] = query.manifest
        answer = {
            "QueryExecutionId": query.id,
            "Query": query.sql,
            "WorkGroup": query.workgroup,
            "QueryExecutionContext": {"Database": query.database},
            "ResultConfiguration": {"OutputLocation": query.output},
            "EngineVersion": {"EffectiveEngineVersion": "Athena engine version 3"},
            "Statistics": statistics,
            "Status": status,
        }
        if query.statement:
            answer |= {"StatementType": query.statement.type, "SubstatementType": query.statement.subtype}
        return {"QueryExecution": answer}

    def _results(self, request: dict[str, Any], _: Mapping[str, str]) -> Any:
        query = self._find(request)
        if query.state != "SUCCEEDED":
            raise InvalidRequestError(f"Query did not finish successfully. Final query state: {query.state}")
        header = [[column["Name"] for column in query.columns]] if query.with_header else []
        rows: list[Any] = header + query.rows
        start, size = int(request.get("NextToken") or 0), int(request.get("MaxResults") or 1000)
        page = [
            {"Data": [{} if value is None else {"VarCharValue": value} for value in row]}
            for row in rows[start : start + size]
        ]
        result_set = {"Rows": page, "ResultSetMetadata": {"ColumnInfo": query.columns}}
        answer = {"ResultSet": result_set, "UpdateCount": query.changed_rows}
        return answer | ({"NextToken": str(start + size)} if start + size < len(rows) else {})

    def _stop(self, request: dict[str, Any], _: Mapping[str, str]) -> Any:
        query = self._find(request)
        query.stopped = True
        if query.cursor:
            self._threads.submit(query.cursor.cancel)
        return {}

    def _run(self, query: Query) -> None:
        query.state = "RUNNING"
        try:
            self._execute(query)
            if query.scan_limit and query.scanned > query.scan_limit:
                query.reason = f"Bytes scanned limit was exceeded: {query.scanned} of {query.scan_limit} bytes"
        except RefusedError as error:
            query.reason = str(error)
        except TrinoUserError as error:
            query.reason = f"{error.error_name}: {error.message}"
        except Exception as error:  # the query has failed, whatever it was; its state must tell
            query.reason = f"{type(error).__name__}: {error}"
        query.completed = time.time()
        limited = query.reason is not None and query.reason.startswith("Bytes scanned")
        query.state = "SUCCEEDED" if not query.reason else "CANCELLED" if query.stopped or limited else "FAILED"

    def _execute(self, query: Query) -> None:
        query.statement = statement = parse(query.sql)
        lines = None
        if statement.type != "DML":
            lines = ddl.run(statement.sql, query.database, self._emulator.glue)
        if lines is not None:
            query.columns = [describe("result", "varchar")] if lines else []
            query.rows = [[line] for line in lines]
            query.output = f"{query.staging}{query.id}.txt"
            self._emulator.write(query.output, "".join(f"{line}\n" for line in lines))
            return
        translated = to_trino(statement, query.id, query.database, query.staging)
        if translated.location and self._emulator.files(translated.location):
            raise RefusedError(f"HIVE_PATH_ALREADY_EXISTS: Target directory already exists: {translated.location}")
        cursor, rows = self._on_trino(query, translated)
        query.scanned = int((cursor.stats or {}).get("physicalInputBytes", 0))
        query.output = query.staging + query.id
        match statement.subtype:
            case "CREATE_TABLE_AS_SELECT" | "INSERT" | "UNLOAD":
                query.changed_rows = rows[0][0] if rows else 0
                query.columns = [describe("rows", "bigint")]
                if translated.scratch and translated.location:
                    self._finish_unload(query, translated.scratch, translated.location)
            case _ if statement.type == "DDL":
                query.output += ".txt"
                self._emulator.write(query.output, "")
            case _:
                types = [column[1] for column in cursor.description or []]
                query.columns = [describe(column[0], column[1]) for column in cursor.description or []]
                query.rows = [[write(value, type_) for value, type_ in zip(row, types, strict=True)] for row in rows]
                query.with_header = statement.subtype == "SELECT"
                self._write_csv(query)

    def _on_trino(self, query: Query, translated: TrinoStatement) -> tuple[Any, list[Any]]:
        if self.trino_port is None:
            raise RefusedError("This stand-in was started without an engine for queries")
        connection = trino.dbapi.connect(  # type: ignore[no-untyped-call]  # the library leaves it without types
            host="127.0.0.1",
            port=self.trino_port,
            user="athena",
            catalog=CATALOG,
            schema=query.database,
            session_properties=translated.session,
            legacy_primitive_types=True,  # dates and decimals as the text that Trino sends
        )
        sql = translated.sql
        if query.parameters:  # they are literals, as Athena wants them
            quoted = sql.replace("'", "''")
            sql = f"EXECUTE IMMEDIATE '{quoted}' USING {', '.join(query.parameters)}"
        until = time.monotonic() + _NODES_SECONDS
        while True:
            query.cursor = cursor = connection.cursor()
            try:
                return cursor, cursor.execute(sql).fetchall()
            except TrinoQueryError as error:
                if error.error_name != "NO_NODES_AVAILABLE" or time.monotonic() > until:
                    raise
                time.sleep(0.2)

    def _finish_unload(self, query: Query, table: str, location: str) -> None:
        self._emulator.glue.delete_table(DatabaseName=query.database, Name=table.rpartition(".")[2].strip('"'))
        query.manifest = f"{query.output}-manifest.csv"
        self._emulator.write(query.manifest, "".join(f"{file}\n" for file in self._emulator.files(location)))

    def _write_csv(self, query: Query) -> None:
        def line(values: list[Any]) -> str:
            return ",".join("" if value is None else '"' + value.replace('"', '""') + '"' for value in values) + "\n"

        query.output += ".csv"
        header = [column["Name"] for column in query.columns]
        self._emulator.write(query.output, "".join(map(line, [header, *query.rows])))
        self._emulator.write(f"{query.output}.metadata", json.dumps(query.columns))
