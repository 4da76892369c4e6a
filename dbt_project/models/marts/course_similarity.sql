{{ similarity(ref('course_enrolments'), ref('courses'), 'course_id') }}
