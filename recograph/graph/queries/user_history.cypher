// What has a user taken and watched, and when?
// Parameters:
//   customer  string         id of the customer
//   user      integer        id of the user
//   limit     integer = 100  how many rows at most
// Columns:
//   kind     Course or Asset
//   item_id  id of the course or asset
//   title    its title
//   status   code of the enrolment's status, 2 is completed; empty for assets
//   recency  9 is under a week ago, 8 under two, doubling down to 2; 1 is older or unknown
//   rating   the user's rating; empty without one
MATCH (user:User {customer_id: $customer, id: $user})-[had:IS_ENROLLED|HAS_WATCHED]->(item)
OPTIONAL MATCH (user)-[rated:HAS_RATED]->(item)
RETURN CASE WHEN item:Course THEN 'Course' ELSE 'Asset' END AS kind, item.id AS item_id,
  coalesce(item.name, item.title) AS title, had.status AS status, had.recency AS recency, rated.rating AS rating
ORDER BY recency DESC, kind DESC, item_id
LIMIT $limit
