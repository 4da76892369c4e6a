"""What every build of dbt needs, made once in the process from which those of runs are forked."""

from functools import cache
from typing import Any

import dbt.task.build  # noqa: F401 - for the processes that are forked
from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import Macro
from dbt.plugins.manager import PluginManager
from dbt_common.behavior_flags import BehaviorFlagRendered
from dbt_common.clients.agate_helper import build_type_tester
from dbt_common.clients.jinja import template_cache
from dbt_common.events.base_types import BaseEvent, EventLevel
from dbt_common.events.event_manager import EventManager
from dbt_common.events.event_manager_client import ctx_set_event_manager


def warm(manifest: Manifest) -> None:
    """Compile the macros that builds call, and read what numbers look like where this machine is."""
    ctx_set_event_manager(_Silent())
    build_type_tester([])
    nodes = manifest.nodes.values()
    kinds = tuple(f"materialization_{kind}_" for kind in {node.config.materialized for node in nodes})
    names = [name for name, macro in manifest.macros.items() if macro.name.startswith(kinds)]
    names += [name for node in nodes for name in node.depends_on.macros]
    called: dict[str, Macro] = {}
    while names:
        name = names.pop()
        if name in manifest.macros and name not in called:
            called[name] = manifest.macros[name]
            names += called[name].depends_on.macros
    for macro in called.values():
        template_cache.get_node_template(macro)


BehaviorFlagRendered._default_source = staticmethod(lambda: "dbt")  # type: ignore[method-assign]
"""It would look at the source file of each function that is under way, for messages that nobody reads."""
PluginManager.get_prefixed_modules = staticmethod(cache(PluginManager.get_prefixed_modules))  # type: ignore[method-assign]
"""It would look through the folders of all packages for each build."""


class _Silent(EventManager):
    """Makes no messages except of warnings, which may be errors: a build's results come apart, nobody reads its log."""

    def fire_event(
        self,
        e: BaseEvent,
        level: EventLevel | None = None,
        node: Any = None,
        force_warn_or_error_handling: bool = False,
    ) -> None:
        """See `EventManager.fire_event`."""
        if force_warn_or_error_handling:
            super().fire_event(e, level, node, force_warn_or_error_handling)
