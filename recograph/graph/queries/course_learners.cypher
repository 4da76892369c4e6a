// Who takes a course?
// Parameters:
//   customer  string        id of the customer
//   course    integer       id of the course
//   limit     integer = 20  how many rows at most
// Columns:
//   user_id  id of the user
//   status   code of the enrolment's status, 2 is completed
//   recency  9 is under a week ago, 8 under two, doubling down to 2; 1 is older or unknown
//   rating   the user's rating; empty without one
MATCH (course:Course {customer_id: $customer, id: $course})<-[enrolment:IS_ENROLLED]-(user:User)
WITH course, enrolment, user ORDER BY enrolment.recency DESC, user.id LIMIT $limit
OPTIONAL MATCH (user)-[rated:HAS_RATED]->(course)
RETURN user.id AS user_id, enrolment.status AS status, enrolment.recency AS recency, rated.rating AS rating
ORDER BY recency DESC, user_id
