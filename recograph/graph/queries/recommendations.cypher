// What should a user take and watch next?
// Parameters:
//   customer  string        id of the customer
//   user      integer       id of the user
//   k         integer = 10  how many courses, and how many assets
// Columns:
//   kind        Course or Asset
//   item_id     id of the course or asset
//   title       its title
//   score       sum of the similarities to what the user had, by recency and rating; 0 where only popular
//   because_of  titles of what the user had that speak for it most; empty where only popular
//   popularity  users who had it
MATCH (user:User {customer_id: $customer, id: $user})
CALL (user) {
  CALL (user) {
    MATCH (user)-[had:IS_ENROLLED]->(source:Course)-[alike:SIMILAR_TO]->(item:Course)
    WHERE NOT EXISTS { (user)-[:IS_ENROLLED]->(item) }
    OPTIONAL MATCH (user)-[rated:HAS_RATED]->(source)
    WITH item, source, alike.score * had.recency / 9 * coalesce(rated.rating, 3) / 3 AS part
    ORDER BY part DESC, source.id
    WITH item, round(sum(part), 6) AS score, collect(source.name)[..2] AS because_of
    RETURN item, score, because_of
  UNION ALL
    MATCH (item:Course)
    WHERE item.customer_id = user.customer_id AND item.id IS NOT NULL
      AND NOT EXISTS { (user)-[:IS_ENROLLED]->(item) }
    WITH item ORDER BY COUNT { (item)<-[:IS_ENROLLED]-() } DESC, item.id LIMIT $k
    RETURN item, 0.0 AS score, [] AS because_of
  }
  WITH item, max(score) AS score, reduce(all = [], some IN collect(because_of) | all + some) AS because_of
  WITH item, score, because_of, COUNT { (item)<-[:IS_ENROLLED]-() } AS popularity
  ORDER BY score DESC, popularity DESC, item.id LIMIT $k
  RETURN 'Course' AS kind, item, score, because_of, popularity
UNION ALL
  CALL (user) {
    MATCH (user)-[had:HAS_WATCHED]->(source:Asset)-[alike:SIMILAR_TO]->(item:Asset)
    WHERE NOT EXISTS { (user)-[:HAS_WATCHED]->(item) }
    OPTIONAL MATCH (user)-[rated:HAS_RATED]->(source)
    WITH item, source, alike.score * had.recency / 9 * coalesce(rated.rating, 3) / 3 AS part
    ORDER BY part DESC, source.id
    WITH item, round(sum(part), 6) AS score, collect(source.title)[..2] AS because_of
    RETURN item, score, because_of
  UNION ALL
    MATCH (item:Asset)
    WHERE item.customer_id = user.customer_id AND item.id IS NOT NULL
      AND NOT EXISTS { (user)-[:HAS_WATCHED]->(item) }
    WITH item ORDER BY COUNT { (item)<-[:HAS_WATCHED]-() } DESC, item.id LIMIT $k
    RETURN item, 0.0 AS score, [] AS because_of
  }
  WITH item, max(score) AS score, reduce(all = [], some IN collect(because_of) | all + some) AS because_of
  WITH item, score, because_of, COUNT { (item)<-[:HAS_WATCHED]-() } AS popularity
  ORDER BY score DESC, popularity DESC, item.id LIMIT $k
  RETURN 'Asset' AS kind, item, score, because_of, popularity
}
RETURN kind, item.id AS item_id, coalesce(item.name, item.title) AS title, score, because_of, popularity
ORDER BY kind DESC, score DESC, popularity DESC, item_id
