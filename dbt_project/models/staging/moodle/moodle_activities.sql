with placed as (
    select *
    from {{ source('moodle', 'course_modules') }}
    where snapshot_date = '{{ partition("snapshot_date") }}'
),

kinds as (
    select *
    from {{ source('moodle', 'modules') }}
    where snapshot_date = '{{ partition("snapshot_date") }}'
)

select
    placed.id,
    placed.course,
    placed.instance,
    placed.added,
    kinds.name as kind
from placed
left join kinds on placed.module = kinds.id
where coalesce(placed.deletioninprogress, 0) = 0
