select
    user_id,
    asset_id,
    rating,
    {{ partition_columns() }}
from {{ ref('stg_asset_ratings') }}
