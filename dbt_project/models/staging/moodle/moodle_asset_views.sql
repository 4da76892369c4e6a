with log as (
    select *
    from {{ source('moodle', 'logstore_standard_log') }}
    where snapshot_date = '{{ partition("snapshot_date") }}'
),

viewed as (
    select *
    from {{ source('moodle', 'course_modules_viewed') }}
    where snapshot_date = '{{ partition("snapshot_date") }}'
),

completions as (
    select *
    from {{ source('moodle', 'course_modules_completion') }}
    where snapshot_date = '{{ partition("snapshot_date") }}'
),

views as (
    select
        userid,
        contextinstanceid as activity_id,
        timecreated as viewed
    from log
    where eventname like '%course_module_viewed'
    union all
    select
        userid,
        coursemoduleid as activity_id,
        timecreated as viewed
    from viewed
    union all
    select
        userid,
        coursemoduleid as activity_id,
        timemodified as viewed
    from completions
    where viewed = 1
)

-- the log has millions of them: one per pair is left
select
    views.userid as user_id,
    views.activity_id as asset_id,
    max(nullif(views.viewed, 0)) * 1000 as viewed_ms
from views
where views.userid <> 0 and views.userid <> (select guest.id from {{ ref('moodle_guest') }} as guest)
group by 1, 2
