{%- set kinds = [
    'assign',
    'assignment',
    'bigbluebuttonbn',
    'book',
    'chat',
    'choice',
    'data',
    'feedback',
    'folder',
    'forum',
    'glossary',
    'h5pactivity',
    'imscp',
    'lesson',
    'lti',
    'page',
    'quiz',
    'resource',
    'scorm',
    'survey',
    'url',
    'wiki',
    'workshop',
] -%}
with titles as (
    {%- for kind in kinds %}
        select
            '{{ kind }}' as kind,
            id,
            name
        from {{ source('moodle', kind) }}
        where snapshot_date = '{{ partition("snapshot_date") }}'
        {% if not loop.last %}union all{% endif %}
    {%- endfor %}
),

places as (
    select *
    from {{ source('moodle', 'context') }}
    where snapshot_date = '{{ partition("snapshot_date") }}'
),

stored as (
    select *
    from {{ source('moodle', 'files') }}
    where snapshot_date = '{{ partition("snapshot_date") }}'
),

-- of the files of an activity the main one, else the first; folders within them have no type
files as (
    select
        places.instanceid as activity_id,
        lower(stored.mimetype) as mimetype,
        row_number() over (
            partition by places.instanceid
            order by stored.sortorder desc nulls last, stored.id asc
        ) as place
    from stored
    inner join places on stored.contextid = places.id and places.contextlevel = 70
    where stored.component = 'mod_resource' and stored.filearea = 'content' and stored.mimetype is not null
)

select
    -- ids
    activities.id,

    -- texts
    titles.name as title,
    cast(null as varchar) as declared_language,

    case
        when activities.kind = 'resource' then {{ moodle_file_kind('files.mimetype') }}
        when activities.kind = 'url' then 'link'
        when activities.kind = 'h5pactivity' then 'h5p'
        when activities.kind = 'assign' then 'assignment'
        when activities.kind = 'bigbluebuttonbn' then 'online meeting'
        when activities.kind = 'data' then 'database'
        when activities.kind = 'lti' then 'external tool'
        else activities.kind
    end as content_type_name,

    -- timestamps
    {{ epoch_ms_to_timestamp('nullif(activities.added, 0) * 1000') }} as creation_date
from {{ ref('moodle_activities') }} as activities
inner join titles on activities.kind = titles.kind and activities.instance = titles.id
left join files on activities.id = files.activity_id and files.place = 1
