{# The columns together name a row of the mart's partition. #}
{% test unique_together(model, columns) %}
    select {{ columns | join(', ') }}
    from {{ model }}
    where customer = '{{ var("customer") }}' and snapshot_date = '{{ var("snapshot_date") }}'
    group by {{ range(1, columns | length + 1) | join(', ') }}
    having count(*) > 1
{% endtest %}

{# The column has a value in every row of the partition. #}
{% test present(model, column_name) %}
    select *
    from {{ model }}
    where customer = '{{ var("customer") }}' and snapshot_date = '{{ var("snapshot_date") }}'
        and {{ column_name }} is null
{% endtest %}

{# The column lies within the bounds wherever it has a value. #}
{% test within(model, column_name, least, most) %}
    select *
    from {{ model }}
    where customer = '{{ var("customer") }}' and snapshot_date = '{{ var("snapshot_date") }}'
        and ({{ column_name }} < {{ least }} or {{ column_name }} > {{ most }})
{% endtest %}
