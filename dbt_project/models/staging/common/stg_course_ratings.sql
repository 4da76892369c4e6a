select * from {{ of_platform('course_ratings') }}
