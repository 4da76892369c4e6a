select
    id,
    category,
    name,
    course_type,
    difficulty,
    status,
    created_date
from {{ of_platform('courses') }}
