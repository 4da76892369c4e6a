with languages as (
    select
        user_id,
        lower(trim(setting_value)) as language_id
    from {{ ref('stg_user_settings') }}
    where path_name = 'ui.language'
)

select
    user_id,
    language_id,
    {{ partition_columns() }}
from languages
where language_id <> ''
