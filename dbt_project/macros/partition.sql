{# Columns that name the partition; the last two of every mart. #}
{% macro partition_columns() -%}
    cast('{{ var("customer") }}' as varchar) as customer,
    cast('{{ var("snapshot_date") }}' as varchar) as snapshot_date
{%- endmacro %}

{# A text of ours as an SQL literal: names may hold quotes. #}
{% macro literal(text) -%}
    cast('{{ text | replace("'", "''") }}' as varchar)
{%- endmacro %}

{# insert_overwrite drops only the partitions that new rows name: with no new rows the old ones would stay. #}
{% macro clear_partition() -%}
    {{ return(adapter.dispatch('clear_partition', 'recograph')()) }}
{%- endmacro %}

{% macro duckdb__clear_partition() %}{% endmacro %}

{% macro athena__clear_partition() -%}
    {%- if execute -%}
        {%- set partition = "customer='" ~ var('customer') ~ "' and snapshot_date='" ~ var('snapshot_date') ~ "'" -%}
        {%- do adapter.clean_up_partitions(this, partition) -%}
        {#- Files of a query that died half way belong to no partition yet, but would to the next. -#}
        {%- do adapter.delete_from_s3(mart_location(this) ~ partition_path()) -%}
    {%- endif -%}
{%- endmacro %}

{# Where a mart's files lie below its location or folder. #}
{% macro partition_path() -%}
    {{- '/customer=' ~ var('customer') ~ '/snapshot_date=' ~ var('snapshot_date') -}}
{%- endmacro %}

{% macro mart_location(mart) -%}
    {{- adapter.generate_s3_location(mart, target.s3_data_dir, target.s3_data_naming) -}}
{%- endmacro %}

{# The folder must exist; DuckDB writes a file beside and renames it, so that readers never see half of one. #}
{% macro write_partition() -%}
    {{ return(adapter.dispatch('write_partition', 'recograph')()) }}
{%- endmacro %}

{% macro athena__write_partition() %}{% endmacro %}

{% macro duckdb__write_partition() -%}
    copy {{ this }} to '{{ mart_file(this.identifier) }}' (format parquet, compression zstd, use_tmp_file true)
{%- endmacro %}

{% macro mart_file(mart) -%}
    {%- set folder = env_var('RECOGRAPH_LAKE', '.recograph/lake') ~ '/marts/' ~ mart -%}
    {{- (folder ~ partition_path() ~ '/' ~ mart ~ '.parquet') | replace("'", "''") -}}
{%- endmacro %}

{#
  What must be there before the first model is built. DuckDB starts empty: marts that this run doesn't build are read
  from their files. On Athena the catalog has made the tables (GlueCatalog.prepare_marts): were that left to the models,
  two runs that both find no table would both make it, and the second would delete the files of the first.
#}
{% macro register_marts() -%}
    {{ return(adapter.dispatch('register_marts', 'recograph')()) }}
{%- endmacro %}

{% macro athena__register_marts() %}{% endmacro %}

{% macro duckdb__register_marts() -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' and 'marts' in node.fqn -%}
            {%- if node.unique_id not in selected_resources -%}
                {%- set file = mart_file(node.name) -%}
                {%- if run_query("select count(*) from glob('" ~ file ~ "')").columns[0][0] -%}
                    {%- do run_query('create schema if not exists ' ~ node.schema) -%}
                    {%- do run_query('create or replace view ' ~ node.schema ~ '.' ~ node.name ~ " as select * from read_parquet('" ~ file ~ "', hive_partitioning = false)") -%}
                {%- endif -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
