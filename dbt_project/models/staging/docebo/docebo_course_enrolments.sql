select
    *,

    -- ids
    iduser as user_id,
    idcourse as course_id,

    -- epoch milliseconds
    date_inscr as enrolled_ms,
    date_first_access as first_access_ms,
    date_last_access as last_access_ms,
    date_complete as completed_ms,
    last_update as updated_ms
from {{ source('docebo', 'learning_courseuser') }}
where snapshot_date = '{{ partition("snapshot_date") }}'
