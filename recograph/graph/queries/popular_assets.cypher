// Which assets of a customer have been watched by the most users?
// Parameters:
//   customer  string        id of the customer
//   limit     integer = 20  how many rows at most
// Columns:
//   asset_id           id of the asset
//   title              its title
//   content_type       code of the kind of content; empty on platforms without codes
//   content_type_name  the kind of content; empty where it isn't known
//   viewers            users who watched it
//   lately             those of them who watched it within the last four weeks
//   rating             mean rating; empty without ratings
// Chart: bars of viewers, lately by title
MATCH (asset:Asset)
WHERE asset.customer_id = $customer AND asset.id IS NOT NULL
WITH asset, COUNT { (asset)<-[:HAS_WATCHED]-() } AS viewers
ORDER BY viewers DESC, asset.id
LIMIT $limit
RETURN asset.id AS asset_id, asset.title AS title, asset.content_type AS content_type,
  asset.content_type_name AS content_type_name, viewers,
  COUNT { (asset)<-[view:HAS_WATCHED]-() WHERE view.recency >= 7 } AS lately,
  COLLECT { MATCH (asset)<-[rated:HAS_RATED]-() RETURN round(avg(rated.rating), 2) }[0] AS rating
ORDER BY viewers DESC, asset_id
