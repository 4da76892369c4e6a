with source as (
    select *
    from {{ source('docebo', 'learning_course') }}
    where snapshot_date = '{{ partition("snapshot_date") }}'
),

renamed as (
    select
        -- ids
        cast(idcourse as bigint) as id,
        cast(idcategory as bigint) as category,

        -- texts
        name,
        course_type,
        difficult as difficulty,
        lower(trim(lang_code)) as declared_language,

        -- numerics
        cast(status as bigint) as status,
        case status when 0 then 'under maintenance' when 2 then 'published' end as status_name,

        -- timestamps
        {{ epoch_ms_to_timestamp('create_date') }} as created_date
    from source
)

select * from renamed
