"""The Dagster instance of an installation: HOME/dagster, shared by the command line and the UI."""

import os
from collections.abc import Collection
from pathlib import Path

import yaml

from recograph.errors import RecographError
from recograph.lake.staging import refusal, replaced
from recograph.settings import Settings

SECTIONS = {
    "telemetry": """\
telemetry:
  enabled: false
""",
    "nux": """\
# No invitation to a newsletter on the first visit of the UI.
nux:
  enabled: false
""",
    "run_launcher": """\
# Runs are forked from a process that has everything imported: a new one for each would take 5 s longer.
run_launcher:
  module: recograph.defs.launcher
  class: ForkingRunLauncher
""",
    "run_coordinator": """\
run_coordinator:
  module: dagster.core.run_coordinator
  class: QueuedRunCoordinator
  config:
    dequeue_interval_seconds: 1
""",
    "concurrency": """\
concurrency:
  runs:
    max_concurrent_runs: {runs}
    # Days of one customer are loaded one after the other; customers run beside each other.
    tag_concurrency_limits:
      - key: dagster/partition/customer
        value:
          applyLimitPerUniqueValue: true
        limit: 1
""",
    "run_monitoring": """\
run_monitoring:
  enabled: true
  # A run whose machine went down would count as running for ever, and hold back the customer's later ones.
  max_runtime_seconds: 43200
""",
    "retention": """\
# Of what sensors and schedules did; `recograph clean` removes old runs.
retention:
  schedule:
    purge_after_days: 90
  sensor:
    purge_after_days:
      skipped: 7
      success: 90
      failure: 90
      started: 90
""",
}
"""The sections of dagster.yaml by key, so that sections which an earlier recograph didn't write can be added."""


def prepare_instance(settings: Settings) -> Path:
    """Make the instance's folder and dagster.yaml where they are missing, and set DAGSTER_HOME to the folder.

    Sections that an existing dagster.yaml has are left as they are, since people may have changed them; sections that
    it lacks are added, since an earlier recograph may have written it.

    Raises:
        RecographError: the folder can't be written, or the file isn't YAML.
    """
    folder = settings.home / "dagster"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "dagster.yaml"
        written = config.read_text(encoding="utf-8") if config.exists() else ""
        missing = "".join(text for name, text in SECTIONS.items() if name not in _keys(config, written))
        if missing:
            missing = missing.format(runs=max(2, os.cpu_count() or 1))
            written += "\n" * bool(written and not written.endswith("\n"))
            with replaced(config) as draft:
                draft.write_text(written + missing, encoding="utf-8")
        if not os.access(folder, os.W_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as error:
        raise RecographError(refusal(folder, error)) from error
    os.environ["DAGSTER_HOME"] = str(folder)
    return folder


def _keys(config: Path, text: str) -> Collection[str]:
    try:
        settings = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise RecographError(
            f"{config} can't be read: {' '.join(str(error).split())}. Correct or delete it."
        ) from error
    if not isinstance(settings, dict):
        raise RecographError(f"{config} isn't a list of settings with their names. Correct or delete it.")
    return settings
