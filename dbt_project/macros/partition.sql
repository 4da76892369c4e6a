{#
  What a run knows of its partition: customer, snapshot_date, and the customer's customer_name, region, size, category
  and platform.
  It stands as JSON in one variable of the environment and is asked for only while a statement is executed, so that what
  dbt has parsed holds for every partition; and a value of it is text, never a template.
#}
{% macro partition(name) -%}
    {%- if execute -%}
        {{- return(fromjson(env_var('RECOGRAPH_PARTITION'))[name]) -}}
    {%- else -%}
        {{- return('2026-01-01' if name == 'snapshot_date' else name) -}}
    {%- endif -%}
{%- endmacro %}

{# Sources lie at places that name the lake and the partition; sources.yml, which dbt parses once for all, has marks. #}
{% macro source() -%}
    {%- set relation = builtins.source(*varargs) -%}
    {%- if not execute -%}
        {{- return(relation) -}}
    {%- endif -%}
    {%- set place = relation | string | replace('__customer__', partition('customer')) -%}
    {%- set place = place | replace('__snapshot_date__', partition('snapshot_date')) -%}
    {{- return(place | replace('__lake__', lake_pattern() | replace("'", "''"))) -}}
{%- endmacro %}

{# Columns that name the partition; the last two of every mart. #}
{% macro partition_columns() -%}
    cast('{{ partition("customer") }}' as varchar) as customer,
    cast('{{ partition("snapshot_date") }}' as varchar) as snapshot_date
{%- endmacro %}

{# A text of ours as an SQL literal: names may hold quotes. #}
{% macro literal(text) -%}
    cast('{{ text | replace("'", "''") }}' as varchar)
{%- endmacro %}

{# Where a mart's files lie below its location or folder. #}
{% macro partition_path() -%}
    {{- '/customer=' ~ partition('customer') ~ '/snapshot_date=' ~ partition('snapshot_date') -}}
{%- endmacro %}

{% macro mart_location(mart) -%}
    {{- adapter.generate_s3_location(mart, target.s3_data_dir, target.s3_data_naming) -}}
{%- endmacro %}

{% macro lake() -%}
    {{- return(env_var('RECOGRAPH_LAKE', '.recograph/lake')) -}}
{%- endmacro %}

{# What DuckDB reads: to it [ and * of a folder's name are a pattern. #}
{% macro lake_pattern() -%}
    {{- return(env_var('RECOGRAPH_LAKE_PATTERN', lake())) -}}
{%- endmacro %}

{% macro mart_file(lake, mart) -%}
    {%- set folder = lake ~ '/marts/' ~ mart -%}
    {{- (folder ~ partition_path() ~ '/' ~ mart ~ '.parquet') | replace("'", "''") -}}
{%- endmacro %}

{#
  What must be there before the first model is built. DuckDB starts empty: marts that this run doesn't build are read
  from their files. On Athena the catalog has made the tables (GlueCatalog.prepare_marts): were that left to the models,
  two runs that both find no table would both make it, and the second would delete the files of the first.
#}
{% macro register_marts() -%}
    {%- if execute and flags.WHICH != 'compile' -%}
        {{ return(adapter.dispatch('register_marts', 'recograph')()) }}
    {%- endif -%}
{%- endmacro %}

{% macro athena__register_marts() %}{% endmacro %}

{% macro duckdb__register_marts() -%}
    {#- Of this build alone: databases that spill into one folder would overwrite each other's files. -#}
    {%- do run_query("set temp_directory = '" ~ env_var('RECOGRAPH_SPILL', '.tmp') | replace("'", "''") ~ "'") -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and 'marts' in node.fqn -%}
        {%- if node.unique_id not in selected_resources -%}
            {%- set file = mart_file(lake_pattern(), node.name) -%}
            {%- if run_query("select count(*) from glob('" ~ file ~ "')").columns[0][0] -%}
                {%- do run_query('create schema if not exists ' ~ node.schema) -%}
                {%- do run_query('create or replace view ' ~ node.schema ~ '.' ~ node.name ~ " as select * from read_parquet('" ~ file ~ "', hive_partitioning = false)") -%}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}
