with source as (
    select *
    from {{ source('docebo', 'learning_courseuser') }}
    where snapshot_date = '{{ partition("snapshot_date") }}'
),

renamed as (
    select
        -- ids
        cast(iduser as bigint) as user_id,
        cast(idcourse as bigint) as course_id,

        -- numerics
        cast(status as bigint) as status,

        -- epoch milliseconds
        date_inscr as enrolled_ms,
        date_first_access as first_access_ms,
        date_last_access as last_access_ms,
        date_complete as completed_ms,
        last_update as updated_ms
    from source
)

select * from renamed
