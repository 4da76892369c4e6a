{#
  The model PLATFORM_NAME of the customer's platform. dbt must know at parsing on what a model depends, which are the
  models of all platforms that RECOGRAPH_PLATFORMS names; a statement has that of one alone, since the tables of others
  aren't there.
#}
{% macro of_platform(name) -%}
    {%- if execute -%}
        {{- return(ref(partition('platform') ~ '_' ~ name)) -}}
    {%- else -%}
        {%- set models = [] -%}
        {%- for platform in env_var('RECOGRAPH_PLATFORMS', 'docebo').split() -%}
            {%- do models.append(ref(platform ~ '_' ~ name)) -%}
        {%- endfor -%}
        {{- return(models[0]) -}}
    {%- endif -%}
{%- endmacro %}

{# A column that the staging of some platforms alone has, named with a blank between them; NULL for customers of others. #}
{% macro only_of(platforms, column, type) -%}
    {%- if partition('platform') in platforms.split() -%}
        {{ column }}
    {%- else -%}
        cast(null as {{ type }}) as {{ column.split('.') | last }}
    {%- endif -%}
{%- endmacro %}

{# What an enrolment's status says; the codes are Docebo's, and those of other platforms are mapped to them. #}
{% macro enrolment_status_name(column) -%}
    case {{ column }}
        when -2 then 'waiting list'
        when -1 then 'to confirm'
        when 0 then 'subscribed'
        when 1 then 'in progress'
        when 2 then 'completed'
        when 3 then 'suspended'
        when 4 then 'overbooking'
    end
{%- endmacro %}
