{#
  A mart on Athena: the partition's rows are inserted into the mart's table, one statement. dbt-athena's own
  `incremental` writes them into a table beside first, so that it can find out which partitions they name; here they name
  one, known beforehand, and the hook before has emptied it.
#}
{% materialization partition, adapter='athena' %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set columns = model.columns.keys() | list -%}
    {{ run_hooks(pre_hooks) }}
    {% call statement('main') %}
        insert into {{ target_relation }} ({{ columns | join(', ') }})
        select {{ columns | join(', ') }} from ({{ compiled_code }})
    {% endcall %}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
