with source as (
    select *
    from {{ source('moodle', 'tool_courserating_rating') }}
    where snapshot_date = '{{ partition("snapshot_date") }}'
)

select
    -- ids
    userid as user_id,
    courseid as course_id,

    -- numerics
    rating,

    -- epoch milliseconds
    timemodified * 1000 as rated_ms
from source
where userid <> (select guest.id from {{ ref('moodle_guest') }} as guest)
