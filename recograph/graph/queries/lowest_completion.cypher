// Which courses do the fewest of their learners complete, among courses with enough learners?
// Parameters:
//   customer  string        id of the customer
//   at_least  integer = 20  how many learners a course needs
//   limit     integer = 20  how many rows at most
// Columns:
//   course_id  id of the course
//   name       its title
//   learners   users who are or were enrolled
//   completed  those of them who have completed it
//   share      completed by learners, 0 to 1
// Chart: bars of learners, completed by name
MATCH (course:Course)
WHERE course.customer_id = $customer AND course.id IS NOT NULL
WITH course, COUNT { (course)<-[:IS_ENROLLED]-() } AS learners
WHERE learners >= $at_least
WITH course, learners, COUNT { (course)<-[enrolment:IS_ENROLLED]-() WHERE enrolment.status = 2 } AS completed
RETURN course.id AS course_id, course.name AS name, learners, completed,
  round(toFloat(completed) / learners, 3) AS share
ORDER BY share, learners DESC, course_id
LIMIT $limit
