with known as (
    {{ known_languages(ref('stg_courses'), ref('course_enrolments'), 'course_id') }}
)

select
    course.id,
    course.name,
    course.category,
    course.course_type,
    {{ only_of('docebo', 'course.difficulty', 'varchar') }},
    course.status,
    course.status_name,
    course.created_date,
    known.language,
    {{ partition_columns() }}
from {{ ref('stg_courses') }} as course
left join known on course.id = known.id
