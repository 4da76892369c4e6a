with enrolments as (
    select *
    from {{ source('moodle', 'user_enrolments') }}
    where snapshot_date = '{{ partition("snapshot_date") }}'
),

ways as (
    select *
    from {{ source('moodle', 'enrol') }}
    where snapshot_date = '{{ partition("snapshot_date") }}'
),

accesses as (
    select *
    from {{ source('moodle', 'user_lastaccess') }}
    where snapshot_date = '{{ partition("snapshot_date") }}'
),

completions as (
    select *
    from {{ source('moodle', 'course_completions') }}
    where snapshot_date = '{{ partition("snapshot_date") }}'
),

-- a user may have come into a course by several ways: one that is open is enough
enrolled as (
    select
        enrolments.userid as user_id,
        ways.courseid as course_id,
        min(
            case
                when enrolments.status <> 0 or ways.status <> 0 then 1
                when enrolments.timeend > 0 and enrolments.timeend * 1000 < {{ snapshot_end_ms() }} then 1
                else 0
            end
        ) as suspended,
        min(coalesce(nullif(enrolments.timestart, 0), nullif(enrolments.timecreated, 0)) * 1000) as enrolled_ms,
        max(enrolments.timemodified * 1000) as updated_ms
    from enrolments
    inner join ways on enrolments.enrolid = ways.id
    where
        ways.courseid not in (select site.id from {{ ref('moodle_site') }} as site)
        and enrolments.userid <> (select guest.id from {{ ref('moodle_guest') }} as guest)
    group by 1, 2
),

known as (
    select
        enrolled.user_id,
        enrolled.course_id,
        enrolled.suspended,
        enrolled.enrolled_ms,
        enrolled.updated_ms,
        nullif(completions.timestarted, 0) * 1000 as first_access_ms,
        nullif(accesses.timeaccess, 0) * 1000 as last_access_ms,
        nullif(completions.timecompleted, 0) * 1000 as completed_ms
    from enrolled
    left join accesses on enrolled.user_id = accesses.userid and enrolled.course_id = accesses.courseid
    left join completions on enrolled.user_id = completions.userid and enrolled.course_id = completions.course
)

select
    -- ids
    user_id,
    course_id,

    -- numerics: the codes are Docebo's
    cast(
        case
            when completed_ms is not null then 2
            when suspended = 1 then 3
            when last_access_ms is not null or first_access_ms is not null then 1
            else 0
        end as bigint
    ) as status,

    -- epoch milliseconds
    enrolled_ms,
    first_access_ms,
    last_access_ms,
    completed_ms,
    updated_ms
from known
