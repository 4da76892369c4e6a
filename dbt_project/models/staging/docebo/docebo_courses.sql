select
    *,

    -- ids
    idcourse as id,
    idcategory as category,

    -- texts
    difficult as difficulty,
    lower(trim(lang_code)) as declared_language,
    case status when 0 then 'under maintenance' when 2 then 'published' end as status_name,

    -- timestamps
    {{ epoch_ms_to_timestamp('create_date') }} as created_date
from {{ source('docebo', 'learning_course') }}
where snapshot_date = '{{ partition("snapshot_date") }}'
