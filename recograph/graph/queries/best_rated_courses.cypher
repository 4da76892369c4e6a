// Which courses are rated best, among those that enough users have rated?
// Parameters:
//   customer  string        id of the customer
//   at_least  integer = 5   how many ratings a course needs
//   limit     integer = 20  how many rows at most
// Columns:
//   course_id  id of the course
//   name       its title
//   rating     mean rating
//   ratings    how many there are
// Chart: bars of rating by name
MATCH (course:Course)
WHERE course.customer_id = $customer AND course.id IS NOT NULL
MATCH (course)<-[rated:HAS_RATED]-()
WITH course, avg(rated.rating) AS rating, count(rated.rating) AS ratings
WHERE ratings >= $at_least
RETURN course.id AS course_id, course.name AS name, round(rating, 2) AS rating, ratings
ORDER BY rating DESC, ratings DESC, course_id
LIMIT $limit
