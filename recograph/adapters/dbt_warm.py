"""What every build of dbt needs, made once in the process from which those of runs are forked."""

import dbt.task.build  # noqa: F401 - for the processes that are forked
from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import Macro
from dbt_common.clients.agate_helper import build_type_tester
from dbt_common.clients.jinja import template_cache


def warm(manifest: Manifest) -> None:
    """Compile the macros that builds call, and read what numbers look like where this machine is."""
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
