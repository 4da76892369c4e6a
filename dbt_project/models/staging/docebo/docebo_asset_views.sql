select
    *,

    -- ids
    iduser as user_id,
    idcontent as asset_id,

    -- epoch milliseconds
    viewed as viewed_ms
from {{ source('docebo', 'app7020_content_history') }}
where snapshot_date = '{{ partition("snapshot_date") }}'
