"""dagster-dbt, imported without dbt itself, and the dbt command line as a resource.

dbt runs in processes of its own. dagster-dbt takes a missing dbt for dbt Fusion and goes without, so every process that
loads the assets is there three seconds sooner.
"""

import atexit
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Any

from packaging.version import Version

from recograph.adapters.dbt import DBT, target
from recograph.lake.staging import temporary_folder
from recograph.settings import DBT_PROJECT_DIR, Settings

_dbt = sys.modules.get("dbt")
sys.modules["dbt"] = None  # type: ignore[assignment]
try:
    import dagster_dbt as dagster_dbt  # re-exported, so that it is always imported this way
finally:
    # Whoever wants dbt in this process gets it.
    if _dbt is None:
        del sys.modules["dbt"]
    else:
        sys.modules["dbt"] = _dbt


_TARGET = ExitStack()
"""The folder of this process's latest dbt command: gone with the next, with the process, or when another starts dbt."""
atexit.register(_TARGET.close)


class DbtResource(dagster_dbt.DbtCliResource):
    """The dbt command line, without the second dbt that dagster-dbt would start in this process for every command.

    That one serves to ask the database for rows and columns; here the lake's Parquet files tell them.
    """

    @property
    def _cli_version(self) -> Version:
        return Version(version("dbt-core"))

    # By default they stay in the project, 3 MB for every partition that was ever built.
    def _get_unique_target_path(self, *, context: Any) -> Path:  # noqa: ARG002
        _TARGET.close()
        return _TARGET.enter_context(temporary_folder(Settings.from_env().home / "dbt", "target-"))

    # None, as for dbt Fusion.
    def _initialize_dbt_core_adapter(self, args: Sequence[str]) -> None:  # type: ignore[override]  # noqa: ARG002
        return None


def dbt_resource(settings: Settings) -> DbtResource:
    """The dbt project of this installation, run on its target."""
    folder = str(DBT_PROJECT_DIR)
    return DbtResource(project_dir=folder, profiles_dir=folder, target=target(settings), dbt_executable=str(DBT))
