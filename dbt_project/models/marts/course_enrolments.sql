with enrolments as (
    select
        *,
        -- 0 where nothing is known: greatest() is NULL on Athena as soon as one of its arguments is
        nullif(
            greatest(
                coalesce(enrolled_ms, 0),
                coalesce(first_access_ms, 0),
                coalesce(last_access_ms, 0),
                coalesce(completed_ms, 0)
            ),
            0
        ) as activity_ms
    from {{ ref('stg_course_enrolments') }}
),

-- a user may have several enrolments in a course, one per edition: the one with the latest activity counts
ranked as (
    select
        *,
        row_number() over (
            partition by user_id, course_id
            order by
                activity_ms desc nulls last,
                updated_ms desc nulls last,
                enrolled_ms desc nulls last,
                status desc nulls last
        ) as place
    from enrolments
)

select
    user_id,
    course_id,
    status,
    {{ enrolment_status_name('status') }} as status_name,
    cast({{ recency('activity_ms') }} as bigint) as recency,
    {{ epoch_ms_to_timestamp('activity_ms') }} as active_at,
    {{ partition_columns() }}
from ranked
where place = 1
