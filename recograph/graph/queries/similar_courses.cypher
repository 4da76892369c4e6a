// Which courses are taken by the users who took this one?
// Parameters:
//   customer  string        id of the customer
//   course    integer       id of the course
//   limit     integer = 10  how many rows at most
// Columns:
//   course_id  id of the similar course
//   name       its title
//   score      how alike the two are, greater is more
//   learners   users of the similar course
// Chart: bars of score by name
MATCH (:Course {customer_id: $customer, id: $course})-[alike:SIMILAR_TO]->(similar:Course)
RETURN similar.id AS course_id, similar.name AS name, alike.score AS score,
  COUNT { (similar)<-[:IS_ENROLLED]-() } AS learners
ORDER BY score DESC, course_id
LIMIT $limit
