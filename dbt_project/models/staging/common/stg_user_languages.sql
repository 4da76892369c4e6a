select * from {{ of_platform('user_languages') }}
