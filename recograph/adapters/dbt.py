"""Runs dbt for one partition at a time: its settings, the project that is parsed only once, and a build's results.

dbt runs within this process: a command of its own would spend most of its time on importing dbt and parsing.
dagster-dbt's `DbtProject` isn't used: it parses at each load of the code location in development, and otherwise only
when somebody asks for it; here it is done where something has changed, see `parsed_project`.
"""

import hashlib
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recograph.adapters.dbt_variables import DBT, dbt_environment, parsed_environment, partition_variable
from recograph.adapters.environment import open_dbt
from recograph.customers import Customer, load_customers
from recograph.errors import RecographError
from recograph.lake.staging import hold, refusal, remove_abandoned, temporary_folder, told_of_room
from recograph.platforms import Platform, platforms_of
from recograph.settings import DBT_PROJECT_DIR, Settings

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

    from recograph.adapters.dbt_lineage import Columns

_PROJECT = "project-"
_SAVED_PARSE = "partial_parse.msgpack"


@dataclass(frozen=True)
class ParsedProject:
    """The dbt project as it stands, parsed and compiled once for all partitions."""

    folder: Path

    @property
    def manifest(self) -> Path:
        """The manifest that dbt made."""
        return self.folder / "manifest.json"

    @property
    def saved_parse(self) -> Path:
        """The file from which dbt takes what it parsed, instead of parsing again."""
        return self.folder / _SAVED_PARSE

    def lineage(self, platform: Platform) -> "dict[str, Columns]":
        """By mart and column, what the column is made of: (step, table, column), where step is "glue" or "marts"."""
        saved = json.loads((self.folder / f"lineage-{platform.id}.json").read_text(encoding="utf-8"))
        return {
            mart: {column: {(step, table, source) for step, table, source in sources} for column, sources in of.items()}
            for mart, of in saved.items()
        }


def project_digest() -> str:
    """A digest of the dbt project's files as they are now."""
    digest = hashlib.sha256()
    for path in sorted(path for path in DBT_PROJECT_DIR.rglob("*") if path.suffix in {".sql", ".yml", ".csv"}):
        if not {"target", "logs"} & set(path.relative_to(DBT_PROJECT_DIR).parts):
            digest.update(path.relative_to(DBT_PROJECT_DIR).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def _code_digest() -> str:
    """A digest of the code that makes what is saved of the project."""
    code = (Path(__file__), Path(__file__).with_name("dbt_lineage.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in code)).hexdigest()


def parsed_project(settings: Settings, *, here: bool = False) -> ParsedProject:
    """The dbt project, parsed anew only when one of its files, a contract, the engine or this code has changed.

    Args:
        settings: of the installation.
        here: whether to parse in this process, which will need dbt anyway; others needn't import it.

    Raises:
        RecographError: dbt can't parse the project.
    """
    used = platforms_of(load_customers(settings.data).customers.values())
    columns = {platform.id: _columns(platform) for platform in used}
    engine = open_dbt(settings)
    facts = [
        str(DBT_PROJECT_DIR),
        _code_digest(),
        {package: version(package) for package in ("dbt-core", "sqlglot", *engine.packages)},
        engine.target,
        parsed_environment(settings, engine),
        columns,
    ]
    digest = hashlib.sha256(json.dumps([facts, project_digest()]).encode())
    folder = _held(_folder(settings) / f"{_PROJECT}{digest.hexdigest()[:16]}")
    if not (folder / "manifest.json").exists():
        with temporary_folder(folder.parent) as scratch:
            for platform in used:
                _compile(settings, scratch, platform, here=here)
                _save_lineage(settings, scratch, platform)
            # Those of older projects that a run still reads are held by it.
            remove_abandoned(folder.parent, _PROJECT)
            # The manifest comes last: where it is there, the other files are, too.
            for name in (_SAVED_PARSE, *(f"lineage-{platform.id}.json" for platform in used), "manifest.json"):
                (scratch / name).replace(folder / name)
    return ParsedProject(folder)


def _folder(settings: Settings) -> Path:
    folder = settings.home / "dbt"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecographError(refusal(folder, error)) from error
    return folder


def _held(folder: Path) -> Path:
    try:
        hold(folder)
    except OSError as error:
        raise RecographError(refusal(folder, error)) from error
    return folder


_ANY_DAY = "2026-01-01"


def _compile(settings: Settings, scratch: Path, platform: Platform, *, here: bool) -> None:
    """Compile the partition of a made-up customer: the files that dbt writes are the same for all customers."""
    anyone = Customer.model_construct(id="__customer__", name="", region="", size="", category="", platform=platform.id)
    environment = {"RECOGRAPH_LAKE": "__lake__"} | parsed_environment(settings, open_dbt(settings))
    environment |= partition_variable(anyone, _ANY_DAY)
    command = ["compile", "--no-introspect", "--no-populate-cache", *_in(settings, scratch)]
    trouble = _told_here(command, environment) if here else _told_by_command(command, environment)
    if trouble is not None:
        told_of_room(scratch.parent, trouble)
        raise RecographError(f"dbt can't parse {DBT_PROJECT_DIR}:\n{trouble}")


def _told_here(command: Sequence[str], environment: Mapping[str, str]) -> str | None:
    """What is wrong, by dbt in this process; None if all went well."""
    from dbt.cli.main import dbtRunner

    before = dict(os.environ)
    os.environ.update(environment)
    try:
        outcome = dbtRunner().invoke([*command])
    finally:
        os.environ.clear()
        os.environ.update(before)
    if outcome.success:
        return None
    results: Any = getattr(outcome.result, "results", ())
    return str(outcome.exception or "\n".join(result.message for result in results if result.message))


def _told_by_command(command: Sequence[str], environment: Mapping[str, str]) -> str | None:
    """What is wrong, by a dbt command; None if all went well."""
    whole, environ = [str(DBT), *command, "--quiet", "--log-level", "error"], os.environ | environment
    compiled = subprocess.run(whole, env=environ, capture_output=True, text=True, check=False)  # noqa: S603
    return (compiled.stdout + compiled.stderr).strip() if compiled.returncode else None


def _columns(platform: Platform) -> dict[str, list[str]]:
    """The columns of a platform's tables as engines know them."""
    return {
        table: [*(column.name.lower() for column in contract.columns), "snapshot_date"]
        for table, contract in platform.contracts.items()
    }


def _save_lineage(settings: Settings, scratch: Path, platform: Platform) -> None:
    # Imported here, because it loads a parser of SQL, which nobody needs where the project is parsed already.
    from recograph.adapters.dbt_lineage import column_lineage

    manifest = (scratch / "manifest.json").read_text(encoding="utf-8").replace("__snapshot_date__", _ANY_DAY)
    dialect = open_dbt(settings).dialect
    try:
        lineage = column_lineage(json.loads(manifest), scratch / "compiled", _columns(platform), dialect)
    except RecographError as error:
        raise RecographError(f"For customers with the platform {platform.id}: {error}") from error
    as_lists = {mart: {name: sorted(of) for name, of in columns.items()} for mart, columns in lineage.items()}
    (scratch / f"lineage-{platform.id}.json").write_text(json.dumps(as_lists), encoding="utf-8")


@dataclass(frozen=True)
class NodeResult:
    """What dbt made of a model or a test."""

    node: str
    """Name of the model or test."""
    model: str
    """Name of the model that was built or tested."""
    is_test: bool
    succeeded: bool
    status: str
    message: str
    adapter_response: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """What the engine reported, such as `data_scanned_in_bytes`."""
    generic_test: str = ""
    """Which of the project's generic tests it is; empty for a model."""
    sql: str = ""
    """The SQL of a test; empty for a model."""
    relation: str = ""
    """What the model is called in the SQL of a test."""


def build(
    settings: Settings, customer: Customer, date: str, models: Sequence[str], *, only_test: bool = False
) -> list[NodeResult]:
    """Build models of one partition and test them; with `only_test`, test what was built before.

    Raises:
        RecographError: dbt could build nothing at all.
    """
    from dbt.cli.main import dbtRunner

    os.environ.update(dbt_environment(settings) | partition_variable(customer, date))
    with temporary_folder(_folder(settings), "build-") as scratch:
        os.environ["RECOGRAPH_SPILL"] = f"{scratch}/spill"
        command = ["test", "--select", *(f"{model},test_type:data" for model in models)]
        if not only_test:
            open_dbt(settings).make_room(models, customer.id, date)
            command = ["build", "--select", *models, "--exclude-resource-type", "unit_test"]
        arguments = [*command, "--no-write-json"]
        manifest = _take_manifest(settings)
        outcome = dbtRunner(manifest=manifest).invoke([*arguments, *_in(settings, scratch)])
        if outcome.exception:
            told_of_room(scratch.parent, str(outcome.exception))
    if outcome.exception or outcome.result is None:
        raise RecographError(
            f"dbt built nothing for {customer.id} on {date}: {' '.join(str(outcome.exception).split())}"
        )
    return [_node_result(result, manifest) for result in outcome.result.results]  # type: ignore[union-attr]


_LOADED: "list[Manifest]" = []


def preload(settings: Settings) -> None:
    """Import dbt and read the parsed project now, so that the next build, also of a forked process, needn't.

    Raises:
        RecographError: dbt can't parse the project.
    """
    from recograph.adapters.dbt_warm import warm

    _LOADED[:] = [_read_manifest(settings)]
    warm(_LOADED[0])


def _take_manifest(settings: Settings) -> "Manifest":
    """The parsed project for one build: compiling marks the manifest, so that it can't serve a second one."""
    return _LOADED.pop() if _LOADED else _read_manifest(settings)


def _read_manifest(settings: Settings) -> "Manifest":
    from dbt.cli.main import dbtRunner

    os.environ.update(dbt_environment(settings))
    project = parsed_project(settings)
    with temporary_folder(project.folder.parent, "build-") as scratch:
        arguments = ["parse", "--partial-parse-file-path", str(project.saved_parse), "--no-write-json"]
        outcome = dbtRunner().invoke([*arguments, *_in(settings, scratch)])
        if outcome.exception:
            told_of_room(scratch.parent, str(outcome.exception))
    if outcome.exception or not outcome.success:
        raise RecographError(f"dbt can't parse {DBT_PROJECT_DIR}: {' '.join(str(outcome.exception).split())}")
    manifest: Manifest = outcome.result  # type: ignore[assignment]
    return manifest


def _in(settings: Settings, scratch: Path) -> list[str]:
    """Options with which dbt writes only into the `scratch` folder, and nothing to the terminal."""
    folders = {"--project-dir": DBT_PROJECT_DIR, "--profiles-dir": DBT_PROJECT_DIR}
    folders |= {"--target-path": scratch, "--log-path": scratch}
    options = [text for name, folder in folders.items() for text in (name, str(folder))]
    return [*options, "--target", open_dbt(settings).target, "--log-level", "none", "--log-level-file", "none"]


def _node_result(result: Any, manifest: "Manifest") -> NodeResult:
    node = result.node
    is_test = node.resource_type == "test"
    model: Any = manifest.nodes.get(getattr(node, "attached_node", None) or "", node)
    metadata = getattr(node, "test_metadata", None)
    return NodeResult(
        node=node.name,
        model=model.name,
        is_test=is_test,
        succeeded=result.status in ("success", "pass", "warn", "no-op"),
        status=str(result.status),
        message=" ".join((result.message or "").split()),
        adapter_response=dict(result.adapter_response or {}),
        generic_test=metadata.name if metadata else "",
        sql=(node.compiled_code or "") if is_test else "",
        relation=model.relation_name or "",
    )
