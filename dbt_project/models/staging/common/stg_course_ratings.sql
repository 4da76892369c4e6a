select
    user_id,
    course_id,
    rating,
    rated_ms
from {{ of_platform('course_ratings') }}
