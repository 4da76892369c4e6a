-- the first user of an installation, unless its database numbers rows in steps, as those of a cluster do
select coalesce(max(try_cast(config_rows.value as bigint)), 1) as id
from {{ source('moodle', 'config') }} as config_rows
where config_rows.snapshot_date = '{{ partition("snapshot_date") }}' and config_rows.name = 'siteguest'
