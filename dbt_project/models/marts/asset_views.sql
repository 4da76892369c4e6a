with latest as (
    select
        user_id,
        asset_id,
        max(viewed_ms) as viewed_ms
    from {{ ref('stg_asset_views') }}
    group by 1, 2
)

select
    user_id,
    asset_id,
    cast({{ recency('viewed_ms') }} as bigint) as recency,
    {{ epoch_ms_to_timestamp('viewed_ms') }} as viewed_at,
    {{ partition_columns() }}
from latest
