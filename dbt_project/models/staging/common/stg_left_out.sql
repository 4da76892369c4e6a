select name
from {{ of_platform('left_out') }}
