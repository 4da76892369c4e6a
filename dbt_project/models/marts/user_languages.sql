with languages as (
    select
        user_id,
        lower(trim(language)) as language_id
    from {{ ref('stg_user_languages') }}
)

select
    user_id,
    language_id,
    {{ partition_columns() }}
from languages
where language_id <> ''
