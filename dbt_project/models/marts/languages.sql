with spoken as (
    select distinct user_languages.language_id
    from {{ ref('user_languages') }} as user_languages
    inner join {{ ref('stg_users') }} as speaker on user_languages.user_id = speaker.id
    where
        user_languages.customer = '{{ partition("customer") }}'
        and user_languages.snapshot_date = '{{ partition("snapshot_date") }}'
)

select
    language_id as id,
    upper(substr(language_id, 1, 1)) || substr(language_id, 2) as language_name,
    {{ partition_columns() }}
from spoken
