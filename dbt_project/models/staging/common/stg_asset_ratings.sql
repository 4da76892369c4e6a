select
    user_id,
    asset_id,
    rating
from {{ of_platform('asset_ratings') }}
