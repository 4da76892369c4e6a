with source as (
    select *
    from {{ source('landing', 'core_setting_user') }}
    where snapshot_date = '{{ var("snapshot_date") }}'
),

renamed as (
    select
        -- ids
        cast(id_user as bigint) as user_id,

        -- texts
        path_name,
        value as setting_value
    from source
)

select * from renamed
