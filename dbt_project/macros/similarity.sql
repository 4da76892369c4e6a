{#
  Item-to-item collaborative filtering: two items are similar when the same users had both. The score is the cosine over
  users, damped where few users support it. Of a user only the latest items count, so that a user with thousands of
  items doesn't make millions of pairs.

  interactions: a mart with user_id, the item's column and recency; items: the mart of the items; item: the column.
#}
{% macro similarity(interactions, items, item) %}
with interactions as (
    select
        interaction.user_id,
        interaction.{{ item }},
        row_number() over (
            partition by interaction.user_id
            order by interaction.recency desc, interaction.{{ item }} desc
        ) as place
    from {{ interactions }} as interaction
    inner join {{ items }} as item
        on
            interaction.{{ item }} = item.id
            and item.customer = '{{ partition("customer") }}'
            and item.snapshot_date = '{{ partition("snapshot_date") }}'
    where
        interaction.customer = '{{ partition("customer") }}'
        and interaction.snapshot_date = '{{ partition("snapshot_date") }}'
),

histories as (
    select
        user_id,
        {{ item }}
    from interactions
    where place <= {{ var('history_per_user') }}
),

popularity as (
    select
        {{ item }},
        count(*) as users
    from histories
    group by 1
),

pairs as (
    select
        one.{{ item }},
        other.{{ item }} as similar_{{ item }},
        count(*) as common
    from histories as one
    inner join histories as other on one.user_id = other.user_id and one.{{ item }} <> other.{{ item }}
    group by 1, 2
),

scored as (
    select
        pairs.{{ item }},
        pairs.similar_{{ item }},
        -- rounded, so that the last bits of a double don't make a difference between engines
        round(
            pairs.common / sqrt(cast(one_item.users as double) * cast(other_item.users as double))
            * pairs.common / (pairs.common + {{ var('similarity_shrinkage') }}e0),
            6
        ) as score
    from pairs
    inner join popularity as one_item on pairs.{{ item }} = one_item.{{ item }}
    inner join popularity as other_item on pairs.similar_{{ item }} = other_item.{{ item }}
),

ranked as (
    select
        *,
        row_number() over (partition by {{ item }} order by score desc, similar_{{ item }} asc) as place
    from scored
)

select
    {{ item }},
    similar_{{ item }},
    score,
    {{ partition_columns() }}
from ranked
where place <= {{ var('similar_per_item') }}
{% endmacro %}
