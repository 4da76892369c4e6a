with source as (
    select *
    from {{ source('docebo', 'app7020_content_rating') }}
    where snapshot_date = '{{ partition("snapshot_date") }}'
),

renamed as (
    select
        -- ids
        cast(iduser as bigint) as user_id,
        cast(idcontent as bigint) as asset_id,

        -- numerics
        cast(rating as double) as rating
    from source
)

select * from renamed
