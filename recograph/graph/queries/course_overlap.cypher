// How many users have taken both of two courses?
// Parameters:
//   customer      string   id of the customer
//   course        integer  id of a course
//   other_course  integer  id of another course
// Columns:
//   learners        users of the first course
//   other_learners  users of the other course
//   both            users of both
//   jaccard         both by users of either, 0 to 1; empty if neither has a user
MATCH (one:Course {customer_id: $customer, id: $course}), (other:Course {customer_id: $customer, id: $other_course})
WITH COUNT { (one)<-[:IS_ENROLLED]-() } AS learners, COUNT { (other)<-[:IS_ENROLLED]-() } AS other_learners,
  COUNT { (one)<-[:IS_ENROLLED]-(user) WHERE EXISTS { (user)-[:IS_ENROLLED]->(other) } } AS both
RETURN learners, other_learners, both,
  CASE WHEN learners + other_learners > 0 THEN round(toFloat(both) / (learners + other_learners - both), 3) END
  AS jaccard
