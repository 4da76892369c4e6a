{#
  What kind of content a code of Docebo's is, as Docebo's reports have it, by the names that other platforms' kinds have.
  A code that isn't known has none: it stands beside the name anyway.
#}
{% macro docebo_content_type_name(column) -%}
    case
        when {{ column }} in (1, 20, 21, 22) then 'video'
        when {{ column }} in (2, 16) then 'document'
        when {{ column }} in (3, 17) then 'spreadsheet'
        when {{ column }} in (4, 18) then 'presentation'
        when {{ column }} = 5 then 'pdf'
        when {{ column }} = 6 then 'text'
        when {{ column }} = 7 then 'image'
        when {{ column }} = 8 then 'question'
        when {{ column }} = 9 then 'answer'
        when {{ column }} in (10, 11) then 'file'
        when {{ column }} = 12 then 'audio'
        when {{ column }} = 13 then 'archive'
        when {{ column }} = 15 then 'link'
        when {{ column }} = 19 then 'playlist'
    end
{%- endmacro %}
