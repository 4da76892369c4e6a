select
    assets.id as asset_id,
    activities.course as course_id
from {{ ref('moodle_assets') }} as assets
inner join {{ ref('moodle_activities') }} as activities on assets.id = activities.id
-- what is on the front page is in no course
where activities.course not in (select site.id from {{ ref('moodle_site') }} as site)
