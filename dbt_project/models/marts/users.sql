select
    id,
    can_manage_subordinates,
    valid,
    register_date,
    {{ partition_columns() }}
from {{ ref('stg_users') }}
