select
    *,

    -- texts
    lower(trim(language)) as declared_language,

    -- numerics
    contenttype as content_type,
    {{ docebo_content_type_name('contenttype') }} as content_type_name,

    -- timestamps
    {{ epoch_ms_to_timestamp('created') }} as creation_date
from {{ source('docebo', 'app7020_content') }}
where snapshot_date = '{{ partition("snapshot_date") }}'
