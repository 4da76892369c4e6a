select
    id,
    can_manage_subordinates,
    valid,
    register_date
from {{ of_platform('users') }}
