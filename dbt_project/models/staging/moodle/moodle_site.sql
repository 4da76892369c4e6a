select courses.id
from {{ source('moodle', 'course') }} as courses
where
    courses.snapshot_date = '{{ partition("snapshot_date") }}'
    and courses.category = 0
    and courses.format = 'site'
