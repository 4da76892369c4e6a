// How many enrolments of each type of course are completed?
// Parameters:
//   customer  string  id of the customer
// Columns:
//   course_type  elearning, classroom or webinar; empty if unknown
//   courses      how many there are
//   enrolments   how many there are in these courses
//   completed    those that are completed
//   share        completed by enrolments, 0 to 1; empty without enrolments
// Chart: bars of enrolments, completed by course_type
MATCH (course:Course)
WHERE course.customer_id = $customer AND course.id IS NOT NULL
WITH course.course_type AS course_type, COUNT { (course)<-[:IS_ENROLLED]-() } AS learners,
  COUNT { (course)<-[enrolment:IS_ENROLLED]-() WHERE enrolment.status = 2 } AS done
WITH course_type, count(*) AS courses, sum(learners) AS enrolments, sum(done) AS completed
RETURN course_type, courses, enrolments, completed,
  CASE WHEN enrolments > 0 THEN round(toFloat(completed) / enrolments, 3) END AS share
ORDER BY enrolments DESC, course_type
