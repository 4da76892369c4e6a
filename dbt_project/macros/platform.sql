{#
  The model PLATFORM_NAME of the customer's platform. dbt must know at parsing on what a model depends, which are the
  models of all platforms that RECOGRAPH_PLATFORMS names; a statement has that of one alone, since the tables of others
  aren't there.
#}
{% macro of_platform(name) -%}
    {%- if not execute -%}
        {%- for platform in env_var('RECOGRAPH_PLATFORMS', 'docebo').split() -%}
            {%- do ref(platform ~ '_' ~ name) -%}
        {%- endfor -%}
    {%- endif -%}
    {{- return(ref(var('platform') ~ '_' ~ name)) -}}
{%- endmacro %}
