{#
  The items whose language is known, with it: a declared language tells something only if not all items declare the
  same (the platform's default), if it is one of the users' languages, and if nine of ten of the item's own users bear
  it out.
#}
{% macro known_languages(items, interactions, item) %}
    select
        item.id,
        item.declared_language as language
    from {{ items }} as item
    left join {{ interactions }} as had
        on
            item.id = had.{{ item }}
            and had.customer = '{{ partition("customer") }}'
            and had.snapshot_date = '{{ partition("snapshot_date") }}'
    left join {{ ref('user_languages') }} as spoken
        on
            had.user_id = spoken.user_id
            and spoken.customer = '{{ partition("customer") }}'
            and spoken.snapshot_date = '{{ partition("snapshot_date") }}'
    where
        (select count(distinct every.declared_language) from {{ items }} as every) > 1
        and item.declared_language in (
            select language.id
            from {{ ref('languages') }} as language
            where
                language.customer = '{{ partition("customer") }}'
                and language.snapshot_date = '{{ partition("snapshot_date") }}'
        )
    group by 1, 2
    having
        10 * sum(case when spoken.language_id = item.declared_language then 1 else 0 end)
        >= 9 * count(spoken.language_id)
{% endmacro %}
