select
    *,
    idst as id
from {{ source('docebo', 'core_user') }}
where snapshot_date = '{{ partition("snapshot_date") }}'
