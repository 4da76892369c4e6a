with ranked as (
    select
        *,
        row_number() over (
            partition by user_id, course_id
            order by rated_ms desc nulls last, rating desc nulls last
        ) as place
    from {{ ref('stg_course_ratings') }}
)

select
    user_id,
    course_id,
    rating,
    {{ partition_columns() }}
from ranked
where place = 1
