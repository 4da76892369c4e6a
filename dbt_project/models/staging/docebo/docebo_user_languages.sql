select
    *,
    id_user as user_id,
    value as language
from {{ source('docebo', 'core_setting_user') }}
where
    snapshot_date = '{{ partition("snapshot_date") }}'
    and path_name = 'ui.language'
