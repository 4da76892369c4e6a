with source as (
    select *
    from {{ source('moodle', 'course') }}
    where snapshot_date = '{{ partition("snapshot_date") }}'
)

select
    *,

    -- texts
    fullname as name,
    format as course_type,
    nullif({{ moodle_language('lang') }}, '') as declared_language,

    -- numerics: as in Docebo, 2 is published and 0 isn't
    cast(case when visible = 0 then 0 else 2 end as bigint) as status,
    case when visible = 0 then 'hidden' else 'published' end as status_name,

    -- timestamps
    {{ epoch_ms_to_timestamp('nullif(timecreated, 0) * 1000') }} as created_date
from source
-- the site's own, which is its front page
where id not in (select site.id from {{ ref('moodle_site') }} as site)
