// Which active accounts have done nothing for long?
// Parameters:
//   customer  string         id of the customer
//   recency   integer = 4    the latest that a user may have done: 4 is 16 weeks ago, 3 is 32, 5 is 8
//   limit     integer = 100  how many rows at most
// Columns:
//   user_id        id of the user
//   register_date  when the user registered
//   last           recency of what the user did last; empty for users who never did anything
//   courses        courses that the user is or was enrolled in
//   assets         assets that the user has watched
MATCH (user:User)
WHERE user.customer_id = $customer AND user.id IS NOT NULL AND user.valid
  AND NOT EXISTS { (user)-[had:IS_ENROLLED|HAS_WATCHED]->() WHERE had.recency > $recency }
WITH user ORDER BY user.register_date, user.id LIMIT $limit
RETURN user.id AS user_id, user.register_date AS register_date,
  COLLECT { MATCH (user)-[had:IS_ENROLLED|HAS_WATCHED]->() RETURN max(had.recency) }[0] AS last,
  COUNT { (user)-[:IS_ENROLLED]->() } AS courses, COUNT { (user)-[:HAS_WATCHED]->() } AS assets
ORDER BY register_date, user_id
