"""The Dagster instance of an installation: HOME/dagster, shared by the command line and the UI."""

import os
from pathlib import Path

from recograph.errors import RecographError
from recograph.settings import Settings

_DAGSTER_YAML = """\
telemetry:
  enabled: false
# No invitation to a newsletter on the first visit of the UI.
nux:
  enabled: false
# Runs are forked from a process that has everything imported: a new one for each would take 5 s longer.
run_launcher:
  module: recograph.defs.launcher
  class: ForkingRunLauncher
run_coordinator:
  module: dagster.core.run_coordinator
  class: QueuedRunCoordinator
  config:
    dequeue_interval_seconds: 1
concurrency:
  runs:
    max_concurrent_runs: {runs}
    # Days of one customer are loaded one after the other; customers run beside each other.
    tag_concurrency_limits:
      - key: dagster/partition/customer
        value:
          applyLimitPerUniqueValue: true
        limit: 1
run_monitoring:
  enabled: true
  # A run whose machine went down would count as running for ever, and hold back the customer's later ones.
  max_runtime_seconds: 43200
retention:
  schedule:
    purge_after_days: 90
  sensor:
    purge_after_days:
      skipped: 7
      success: 90
"""


def prepare_instance(settings: Settings) -> Path:
    """Make the instance's folder and settings file where they are missing, and name it in the environment.

    An existing dagster.yaml is left alone, so that it can be changed.

    Raises:
        RecographError: the folder can't be written.
    """
    folder = settings.home / "dagster"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "dagster.yaml"
        if not config.exists():
            config.write_text(_DAGSTER_YAML.format(runs=max(2, os.cpu_count() or 1)), encoding="utf-8")
        if not os.access(folder, os.W_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as error:
        raise RecographError(
            f"{folder} can't be written ({error.strerror}). Let RECOGRAPH_HOME name a folder that can."
        ) from error
    os.environ["DAGSTER_HOME"] = str(folder)
    return folder
