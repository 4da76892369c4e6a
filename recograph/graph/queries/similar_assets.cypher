// Which assets are watched by the users who watched this one?
// Parameters:
//   customer  string        id of the customer
//   asset     integer       id of the asset
//   limit     integer = 10  how many rows at most
// Columns:
//   asset_id  id of the similar asset
//   title     its title
//   score     how alike the two are, greater is more
//   viewers   users of the similar asset
// Chart: bars of score by title
MATCH (:Asset {customer_id: $customer, id: $asset})-[alike:SIMILAR_TO]->(similar:Asset)
RETURN similar.id AS asset_id, similar.title AS title, alike.score AS score,
  COUNT { (similar)<-[:HAS_WATCHED]-() } AS viewers
ORDER BY score DESC, asset_id
LIMIT $limit
