select
    id,
    title,
    content_type,
    creation_date,
    {{ partition_columns() }}
from {{ ref('stg_assets') }}
