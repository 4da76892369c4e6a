select
    user_id,
    course_id,
    status,
    enrolled_ms,
    first_access_ms,
    last_access_ms,
    completed_ms,
    updated_ms
from {{ of_platform('course_enrolments') }}
