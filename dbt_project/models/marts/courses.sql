select
    id,
    name,
    category,
    course_type,
    difficulty,
    status,
    status_name,
    created_date,
    {{ partition_columns() }}
from {{ ref('stg_courses') }}
