select
    *,

    -- ids
    iduser as user_id,
    idcontent as asset_id
from {{ source('docebo', 'app7020_content_rating') }}
where snapshot_date = '{{ partition("snapshot_date") }}'
