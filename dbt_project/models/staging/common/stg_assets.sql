select
    id,
    title,
    declared_language,
    content_type,
    content_type_name,
    creation_date
from {{ of_platform('assets') }}
