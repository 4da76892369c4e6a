// Which users take the most courses?
// Parameters:
//   customer  string        id of the customer
//   limit     integer = 20  how many rows at most
// Columns:
//   user_id    id of the user
//   courses    courses that the user is or was enrolled in
//   completed  those that are completed
//   assets     assets that the user has watched
// Chart: bars of courses, completed by user_id
MATCH (user:User)
WHERE user.customer_id = $customer AND user.id IS NOT NULL
WITH user, COUNT { (user)-[:IS_ENROLLED]->() } AS courses
ORDER BY courses DESC, user.id
LIMIT $limit
RETURN user.id AS user_id, courses,
  COUNT { (user)-[enrolment:IS_ENROLLED]->() WHERE enrolment.status = 2 } AS completed,
  COUNT { (user)-[:HAS_WATCHED]->() } AS assets
ORDER BY courses DESC, user_id
