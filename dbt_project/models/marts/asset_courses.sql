select
    asset_id,
    course_id,
    {{ partition_columns() }}
from {{ ref('stg_asset_courses') }}
