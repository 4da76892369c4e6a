select kind as name
from {{ ref('moodle_activities') }}
where
    (kind is null or kind <> 'label')
    and id not in (select assets.id from {{ ref('moodle_assets') }} as assets)
