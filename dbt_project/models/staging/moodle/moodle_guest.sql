-- the first user of an installation, unless its database numbers rows in steps, as those of a cluster do
select coalesce(max(try_cast(settings.value as bigint)), 1) as id
from {{ source('moodle', 'config') }} as settings
where settings.snapshot_date = '{{ partition("snapshot_date") }}' and settings.name = 'siteguest'
