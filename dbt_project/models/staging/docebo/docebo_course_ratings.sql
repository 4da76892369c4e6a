with source as (
    select *
    from {{ source('docebo', 'learning_course_rating_vote') }}
    where snapshot_date = '{{ partition("snapshot_date") }}'
),

renamed as (
    select
        -- ids
        cast(iduser as bigint) as user_id,
        cast(idcourse as bigint) as course_id,

        -- numerics
        cast(rating as double) as rating,

        -- epoch milliseconds
        "timestamp" as rated_ms
    from source
)

select * from renamed
