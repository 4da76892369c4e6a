select
    user_id,
    language
from {{ of_platform('user_languages') }}
