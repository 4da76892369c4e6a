with source as (
    select *
    from {{ source('docebo', 'core_user') }}
    where snapshot_date = '{{ partition("snapshot_date") }}'
),

renamed as (
    select
        -- ids
        cast(idst as bigint) as id,

        -- booleans
        can_manage_subordinates,
        valid,

        -- timestamps
        cast(register_date as timestamp) as register_date
    from source
)

select * from renamed
