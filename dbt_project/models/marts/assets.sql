select
    id,
    title,
    content_type,
    content_type_name,
    creation_date,
    {{ partition_columns() }}
from {{ ref('stg_assets') }}
