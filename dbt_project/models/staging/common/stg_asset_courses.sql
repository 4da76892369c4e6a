select
    asset_id,
    course_id
from {{ of_platform('asset_courses') }}
