select
    user_id,
    asset_id,
    viewed_ms
from {{ of_platform('asset_views') }}
