// How long ago were the users active last?
// Parameters:
//   customer  string  id of the customer
// Columns:
//   recency  9 is under a week ago, 8 under two, doubling down to 2; 1 is older or unknown, empty is never
//   users    how many did something then for the last time
// Chart: columns of users by recency
MATCH (user:User)
WHERE user.customer_id = $customer AND user.id IS NOT NULL
OPTIONAL MATCH (user)-[had:IS_ENROLLED|HAS_WATCHED]->()
WITH user, max(had.recency) AS recency
RETURN recency, count(*) AS users
ORDER BY recency DESC
