with source as (
    select *
    from {{ source('docebo', 'app7020_content') }}
    where snapshot_date = '{{ partition("snapshot_date") }}'
),

renamed as (
    select
        -- ids
        cast(id as bigint) as id,

        -- texts
        title,
        lower(trim(language)) as declared_language,

        -- numerics
        cast(contenttype as bigint) as content_type,
        {{ docebo_content_type_name('contenttype') }} as content_type_name,

        -- timestamps
        {{ epoch_ms_to_timestamp('created') }} as creation_date
    from source
)

select * from renamed
