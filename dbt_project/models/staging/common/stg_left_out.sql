select * from {{ of_platform('left_out') }}
