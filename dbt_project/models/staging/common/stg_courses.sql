select
    id,
    category,
    name,
    course_type,
    difficulty,
    declared_language,
    status,
    status_name,
    created_date
from {{ of_platform('courses') }}
