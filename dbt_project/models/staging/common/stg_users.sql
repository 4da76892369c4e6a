select * from {{ of_platform('users') }}
