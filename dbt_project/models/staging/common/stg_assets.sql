select
    id,
    title,
    content_type,
    creation_date
from {{ of_platform('assets') }}
