select kind as name
from {{ ref('moodle_activities') }}
where
    -- a text between activities, a section within a section, and a course's store of questions: nobody opens them
    (kind is null or kind not in ('label', 'subsection', 'qbank'))
    and id not in (select assets.id from {{ ref('moodle_assets') }} as assets)
