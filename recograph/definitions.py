"""The Dagster code location: everything in ``defs``, with the resources that the environment chooses."""

import dagster as dg

from recograph.defs import (
    alerts,
    analytics,
    automation,
    catalog,
    dumps,
    graph,
    landing,
    marts,
    retention,
    similarity,
)
from recograph.defs.partitions import SETTINGS
from recograph.defs.platforms import USED
from recograph.defs.resources import resources

defs = dg.Definitions(
    assets=dg.with_source_code_references(
        [
            dumps.sql_dump,
            *map(landing.landing_of, USED),
            *map(catalog.catalog_of, USED),
            marts.marts,
            graph.graph,
            similarity.similarity,
            analytics.recommender_evaluation,
            analytics.recommendations,
        ]
    ),
    asset_checks=[automation.fresh_by_deadline],
    jobs=[
        automation.dump_to_graph,
        analytics.evaluate_recommender,
        analytics.recommend_to_all,
        retention.clean_lake,
    ],
    schedules=[automation.daily, automation.freshness, retention.weekly_clean],
    sensors=[automation.new_dumps, alerts.alert_on_failure, alerts.alert_on_failed_check],
    resources=resources(SETTINGS),
    # A run's steps form a chain, so a process per step would only cost start-ups; customers run beside each other.
    executor=dg.in_process_executor,
)
