// Which languages do a course's learners speak, and which of them complete it?
// Parameters:
//   customer  string   id of the customer
//   course    integer  id of the course
// Columns:
//   language   the language; empty for users without one
//   learners   the course's learners who speak it
//   completed  those of them who have completed the course
// Chart: bars of learners, completed by language
MATCH (:Course {customer_id: $customer, id: $course})<-[enrolment:IS_ENROLLED]-(user:User)
OPTIONAL MATCH (user)-[:SPEAKS]->(language:Language)
RETURN language.language_name AS language, count(*) AS learners,
  count(CASE WHEN enrolment.status = 2 THEN 1 END) AS completed
ORDER BY learners DESC, language
