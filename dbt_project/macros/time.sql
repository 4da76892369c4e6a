{# Epoch milliseconds as a timestamp without zone, UTC. #}
{% macro epoch_ms_to_timestamp(column) -%}
    {{ return(adapter.dispatch('epoch_ms_to_timestamp', 'recograph')(column)) }}
{%- endmacro %}

{% macro duckdb__epoch_ms_to_timestamp(column) -%}
    epoch_ms({{ column }})
{%- endmacro %}

{% macro athena__epoch_ms_to_timestamp(column) -%}
    cast(from_unixtime({{ column }} / 1000e0) as timestamp(3))
{%- endmacro %}

{# Epoch milliseconds of the midnight, UTC, that ends the snapshot date; a number, so that no engine computes it. #}
{% macro snapshot_end_ms() -%}
    {%- set day = modules.datetime.date.fromisoformat(partition('snapshot_date')) -%}
    {{- (day - modules.datetime.date(1970, 1, 1)).days * 86400000 + 86400000 -}}
{%- endmacro %}

{#
  How long before the end of the snapshot date something happened, as a bucket: 9 is less than 1 week, 8 less than 2,
  7 less than 4, doubling down to 2, less than 128 weeks; 1 is older or unknown.
#}
{% macro recency(activity_ms) -%}
    case
        {%- for bucket in range(9, 1, -1) %}
        when {{ snapshot_end_ms() }} - {{ activity_ms }} < {{ 604800000 * 2 ** (9 - bucket) }} then {{ bucket }}
        {%- endfor %}
        else 1
    end
{%- endmacro %}
