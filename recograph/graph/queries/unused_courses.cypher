// Which courses have hardly a learner?
// Parameters:
//   customer  string        id of the customer
//   at_most   integer = 0   how many learners a course may have to be listed
//   limit     integer = 50  how many rows at most
// Columns:
//   course_id     id of the course
//   name          its title
//   created_date  when it was made
//   learners      users who are or were enrolled
MATCH (course:Course)
WHERE course.customer_id = $customer AND course.id IS NOT NULL
WITH course, COUNT { (course)<-[:IS_ENROLLED]-() } AS learners
WHERE learners <= $at_most
RETURN course.id AS course_id, course.name AS name, course.created_date AS created_date, learners
ORDER BY learners, created_date, course_id
LIMIT $limit
