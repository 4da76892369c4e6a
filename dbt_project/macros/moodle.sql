{#
  The name of a language in English, as Docebo has it, from Moodle's code: en, pt_br. A variant that isn't known by
  itself (en_us, de_du) is the language before the underscore; a code that isn't known at all stays as it is.
#}
{% macro moodle_language(column) -%}
    {%- set code = "lower(trim(" ~ column ~ "))" -%}
    case
        {%- for known, name in moodle_languages().items() if '_' in known %}
        when {{ code }} = '{{ known }}' then '{{ name }}'
        {%- endfor %}
        {%- for known, name in moodle_languages().items() if '_' not in known %}
        when {{ code }} = '{{ known }}' or {{ code }} like '{{ known }}|_%' escape '|' then '{{ name }}'
        {%- endfor %}
        else {{ code }}
    end
{%- endmacro %}

{% macro moodle_languages() -%}
    {{- return({
        'pt_br': 'portuguese-br', 'zh_cn': 'simplified_chinese', 'zh_tw': 'traditional_chinese',
        'af': 'afrikaans', 'ar': 'arabic', 'az': 'azerbaijani', 'be': 'belarusian', 'bg': 'bulgarian',
        'bn': 'bengali', 'bs': 'bosnian', 'ca': 'catalan', 'cs': 'czech', 'cy': 'welsh', 'da': 'danish',
        'de': 'german', 'el': 'greek', 'en': 'english', 'es': 'spanish', 'et': 'estonian', 'eu': 'basque',
        'fa': 'farsi', 'fi': 'finnish', 'fr': 'french', 'ga': 'irish', 'gl': 'galician', 'he': 'hebrew',
        'hi': 'hindi', 'hr': 'croatian', 'hu': 'hungarian', 'hy': 'armenian', 'id': 'indonesian',
        'is': 'icelandic', 'it': 'italian', 'ja': 'japanese', 'ka': 'georgian', 'kk': 'kazakh', 'km': 'khmer',
        'ko': 'korean', 'lo': 'lao', 'lt': 'lithuanian', 'lv': 'latvian', 'mk': 'macedonian', 'mn': 'mongolian',
        'ms': 'malay', 'my': 'burmese', 'ne': 'nepali', 'nl': 'dutch', 'nn': 'norwegian', 'no': 'norwegian',
        'pl': 'polish', 'pt': 'portuguese', 'ro': 'romanian', 'ru': 'russian', 'si': 'sinhala', 'sk': 'slovak',
        'sl': 'slovenian', 'sq': 'albanian', 'sr': 'serbian', 'sv': 'swedish', 'sw': 'swahili', 'ta': 'tamil',
        'te': 'telugu', 'th': 'thai', 'tl': 'tagalog', 'tr': 'turkish', 'uk': 'ukrainian', 'ur': 'urdu',
        'uz': 'uzbek', 'vi': 'vietnamese'
    }) -}}
{%- endmacro %}

{# What kind of content a file is, from its MIME type in lower case. #}
{% macro moodle_file_kind(mimetype) -%}
    case
        when {{ mimetype }} is null then 'file'
        when {{ mimetype }} like 'video/%' then 'video'
        when {{ mimetype }} like 'audio/%' then 'audio'
        when {{ mimetype }} like 'image/%' then 'image'
        when {{ mimetype }} = 'application/pdf' then 'pdf'
        when {{ mimetype }} like '%spreadsheet%' or {{ mimetype }} like '%excel%' or {{ mimetype }} = 'text/csv'
            then 'spreadsheet'
        when {{ mimetype }} like '%presentation%' or {{ mimetype }} like '%powerpoint%' then 'presentation'
        when {{ mimetype }} like '%word%' or {{ mimetype }} like '%opendocument.text%' or {{ mimetype }} like '%rtf%'
            or {{ mimetype }} like 'text/%' then 'document'
        else 'file'
    end
{%- endmacro %}
