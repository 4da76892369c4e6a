with users as (
    select *
    from {{ source('moodle', 'user') }}
    where snapshot_date = '{{ partition("snapshot_date") }}'
)

select
    id as user_id,
    {{ moodle_language('lang') }} as language
from users
where deleted = 0 and id <> (select guest.id from {{ ref('moodle_guest') }} as guest)
