with source as (
    select *
    from {{ source('docebo', 'core_setting_user') }}
    where snapshot_date = '{{ partition("snapshot_date") }}'
),

renamed as (
    select
        -- ids
        cast(id_user as bigint) as user_id,

        -- texts
        path_name,
        value as language
    from source
)

select
    user_id,
    language
from renamed
where path_name = 'ui.language'
