select
    *,

    -- ids
    iduser as user_id,
    idcourse as course_id,

    -- epoch milliseconds
    "timestamp" as rated_ms
from {{ source('docebo', 'learning_course_rating_vote') }}
where snapshot_date = '{{ partition("snapshot_date") }}'
