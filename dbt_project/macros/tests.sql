{#
  The rules of a mart's partition, all in one query, since Athena bills for each: a row for each rule that is broken, in
  words, and how many of the partition's rows break it.

  key: the columns that together name a row; present: those that have a value in every row; within: by column the least
  and the most that its values may be.
#}
{% test rules_hold(model, key, present=[], within={}) %}
    {%- set rules = [("no two rows have the same " ~ key | join(", "), "count(*) - count(distinct (" ~ key | join(", ") ~ "))")] -%}
    {%- for column in present -%}
        {%- do rules.append((column ~ " has a value", "count(*) - count(" ~ column ~ ")")) -%}
    {%- endfor -%}
    {%- for column, (least, most) in within.items() -%}
        {%- do rules.append((
            column ~ " is from " ~ least ~ " to " ~ most,
            "count(case when " ~ column ~ " < " ~ least ~ " or " ~ column ~ " > " ~ most ~ " then 1 end)",
        )) -%}
    {%- endfor %}
    select
        rule.name as broken_rule,
        case rule.number
        {%- for _, broken in rules %}
            when {{ loop.index }} then counted.broken_{{ loop.index }}
        {%- endfor %}
        end as broken_by
    from (
        select
        {%- for _, broken in rules %}
            {{ broken }} as broken_{{ loop.index }}{{ "," if not loop.last }}
        {%- endfor %}
        from {{ model }}
        where customer = '{{ partition("customer") }}' and snapshot_date = '{{ partition("snapshot_date") }}'
    ) as counted
    cross join (
        values
        {%- for name, _ in rules %}
            ({{ loop.index }}, '{{ name }}'){{ "," if not loop.last }}
        {%- endfor %}
    ) as rule (number, name)
    where case rule.number
        {%- for _, broken in rules %}
            when {{ loop.index }} then counted.broken_{{ loop.index }}
        {%- endfor %}
        end > 0
{% endtest %}

{# Every asset of the customer's platform is of a kind that is read; a warning, since plugins bring their own. #}
{% test nothing_left_out(model) %}
    -- {{ model }}
    select
        'assets of the kind ' || coalesce(name, 'unknown') || ' are read' as broken_rule,
        count(*) as broken_by
    from {{ ref('stg_left_out') }}
    group by 1
{% endtest %}
