with source as (
    select *
    from {{ source('docebo', 'app7020_content_history') }}
    where snapshot_date = '{{ partition("snapshot_date") }}'
),

renamed as (
    select
        -- ids
        cast(iduser as bigint) as user_id,
        cast(idcontent as bigint) as asset_id,

        -- epoch milliseconds
        viewed as viewed_ms
    from source
)

select * from renamed
