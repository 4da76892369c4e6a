// Which courses do the speakers of a language take?
// Parameters:
//   customer  string        id of the customer
//   language  string        id of the language, such as english
//   limit     integer = 20  how many rows at most
// Columns:
//   course_id  id of the course
//   name       its title
//   speakers   speakers of the language who are or were enrolled
//   share      of all the course's learners, 0 to 1
// Chart: bars of speakers by name
MATCH (user:User)-[:SPEAKS]->(:Language {id: $language})
WHERE user.customer_id = $customer AND user.id IS NOT NULL
MATCH (user)-[:IS_ENROLLED]->(course:Course)
WITH course, count(*) AS speakers
ORDER BY speakers DESC, course.id
LIMIT $limit
RETURN course.id AS course_id, course.name AS name, speakers,
  round(toFloat(speakers) / COUNT { (course)<-[:IS_ENROLLED]-() }, 3) AS share
ORDER BY speakers DESC, course_id
