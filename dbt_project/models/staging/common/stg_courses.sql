select * from {{ of_platform('courses') }}
