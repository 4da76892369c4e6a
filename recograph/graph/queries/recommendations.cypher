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
    WITH item, score, because_of, COUNT { (item)<-[:IS_ENROLLED]-() } AS popularity
    ORDER BY score DESC, popularity DESC, item.id LIMIT $k
    RETURN collect({item: item, score: score, because_of: because_of, popularity: popularity}) AS similar
  }
  CALL (user, similar) {
    // what is popular fills up
    UNWIND CASE WHEN size(similar) < $k THEN [1] ELSE [] END AS wanted
    MATCH (item:Course)
    WHERE item.customer_id = user.customer_id AND item.id IS NOT NULL
      AND NOT EXISTS { (user)-[:IS_ENROLLED]->(item) } AND NOT item IN [one IN similar | one.item]
    WITH item, COUNT { (item)<-[:IS_ENROLLED]-() } AS popularity
    ORDER BY popularity DESC, item.id LIMIT $k
    RETURN collect({item: item, score: 0.0, because_of: [], popularity: popularity}) AS popular
  }
  UNWIND (similar + popular)[..$k] AS row
  RETURN 'Course' AS kind, row
UNION ALL
  CALL (user) {
    MATCH (user)-[had:HAS_WATCHED]->(source:Asset)-[alike:SIMILAR_TO]->(item:Asset)
    WHERE NOT EXISTS { (user)-[:HAS_WATCHED]->(item) }
    OPTIONAL MATCH (user)-[rated:HAS_RATED]->(source)
    WITH item, source, alike.score * had.recency / 9 * coalesce(rated.rating, 3) / 3 AS part
    ORDER BY part DESC, source.id
    WITH item, round(sum(part), 6) AS score, collect(source.title)[..2] AS because_of
    WITH item, score, because_of, COUNT { (item)<-[:HAS_WATCHED]-() } AS popularity
    ORDER BY score DESC, popularity DESC, item.id LIMIT $k
    RETURN collect({item: item, score: score, because_of: because_of, popularity: popularity}) AS similar
  }
  CALL (user, similar) {
    // what is popular fills up
    UNWIND CASE WHEN size(similar) < $k THEN [1] ELSE [] END AS wanted
    MATCH (item:Asset)
    WHERE item.customer_id = user.customer_id AND item.id IS NOT NULL
      AND NOT EXISTS { (user)-[:HAS_WATCHED]->(item) } AND NOT item IN [one IN similar | one.item]
    WITH item, COUNT { (item)<-[:HAS_WATCHED]-() } AS popularity
    ORDER BY popularity DESC, item.id LIMIT $k
    RETURN collect({item: item, score: 0.0, because_of: [], popularity: popularity}) AS popular
  }
  UNWIND (similar + popular)[..$k] AS row
  RETURN 'Asset' AS kind, row
}
RETURN kind, row.item.id AS item_id, coalesce(row.item.name, row.item.title) AS title, row.score AS score,
  row.because_of AS because_of, row.popularity AS popularity
ORDER BY kind DESC, score DESC, popularity DESC, item_id
