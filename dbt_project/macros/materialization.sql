{#
  A mart on Athena: the partition is emptied, and its rows are inserted into the mart's table, one statement. dbt-athena's
  own `incremental` writes them into a table beside first, so that it can find out which partitions they name; here they
  name one, known beforehand, which is emptied also where no new row names it.
#}
{% materialization partition, adapter='athena' %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set columns = model.columns.keys() | list -%}
    {%- set names = "customer='" ~ partition('customer') ~ "' and snapshot_date='" ~ partition('snapshot_date') ~ "'" -%}
    {%- do adapter.clean_up_partitions(target_relation, names) -%}
    {#- Files of a query that died half way belong to no partition yet, but would to the next. -#}
    {%- do adapter.delete_from_s3(mart_location(target_relation) ~ partition_path()) -%}
    {% call statement('main') %}
        insert into {{ target_relation }} ({{ columns | join(', ') }})
        select {{ columns | join(', ') }} from ({{ compiled_code }})
    {% endcall %}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{#
  A mart on DuckDB: a table in memory, which other marts and tests read, and its file, in one call. dbt-duckdb's own
  `table` makes it under another name first, for those who read the one before; here nobody does.
  The folder must exist; DuckDB writes a file beside and renames it, so that readers never see half of one.
#}
{% materialization partition, adapter='duckdb' %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {% call statement('main', auto_begin=false) %}
        create or replace table {{ target_relation }} as ({{ compiled_code }});
        copy {{ target_relation }} to '{{ mart_file(lake(), this.identifier) }}'
            (format parquet, compression zstd, use_tmp_file true)
    {% endcall %}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
