// Who has watched an asset?
// Parameters:
//   customer  string        id of the customer
//   asset     integer       id of the asset
//   limit     integer = 20  how many rows at most
// Columns:
//   user_id  id of the user
//   recency  9 is under a week ago, 8 under two, doubling down to 2; 1 is older or unknown
//   rating   the user's rating; empty without one
MATCH (asset:Asset {customer_id: $customer, id: $asset})<-[view:HAS_WATCHED]-(user:User)
WITH asset, view, user ORDER BY view.recency DESC, user.id LIMIT $limit
OPTIONAL MATCH (user)-[rated:HAS_RATED]->(asset)
RETURN user.id AS user_id, view.recency AS recency, rated.rating AS rating
ORDER BY recency DESC, user_id
