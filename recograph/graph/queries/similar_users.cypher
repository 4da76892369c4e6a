// Which users have taken and watched the same as a user?
// Parameters:
//   customer  string        id of the customer
//   user      integer       id of the user
//   latest    integer = 50  how many of the user's latest courses and assets count
//   limit     integer = 20  how many rows at most
// Columns:
//   user_id  id of the similar user
//   common   how many of those courses and assets both have
//   has      how many the similar user has in all
//   score    cosine of the two users' sets, 0 to 1
// Chart: bars of score by user_id
MATCH (user:User {customer_id: $customer, id: $user})-[had:IS_ENROLLED|HAS_WATCHED]->(item)
WITH user, item ORDER BY had.recency DESC, item.id LIMIT $latest
WITH user, collect(item) AS items
UNWIND items AS item
MATCH (item)<-[:IS_ENROLLED|HAS_WATCHED]-(other:User)
WHERE other <> user
WITH other, size(items) AS mine, count(*) AS common
WITH other, mine, common, COUNT { (other)-[:IS_ENROLLED|HAS_WATCHED]->() } AS has
RETURN other.id AS user_id, common, has, round(common / sqrt(toFloat(mine) * has), 3) AS score
ORDER BY score DESC, common DESC, user_id
LIMIT $limit
