// Which courses of a customer have the most learners, and how do they like them?
// Parameters:
//   customer  string        id of the customer
//   limit     integer = 20  how many rows at most
// Columns:
//   course_id    id of the course
//   name         its title
//   course_type  elearning, classroom or webinar
//   learners     users who are or were enrolled
//   completed    those of them who have completed it
//   rating       mean rating; empty without ratings
// Chart: bars of learners, completed by name
MATCH (course:Course)
WHERE course.customer_id = $customer AND course.id IS NOT NULL
WITH course, COUNT { (course)<-[:IS_ENROLLED]-() } AS learners
ORDER BY learners DESC, course.id
LIMIT $limit
RETURN course.id AS course_id, course.name AS name, course.course_type AS course_type, learners,
  COUNT { (course)<-[enrolment:IS_ENROLLED]-() WHERE enrolment.status = 2 } AS completed,
  COLLECT { MATCH (course)<-[rated:HAS_RATED]-() RETURN round(avg(rated.rating), 2) }[0] AS rating
ORDER BY learners DESC, course_id
