// What is around a user: company, language, the latest courses and assets, and how alike these are?
// Parameters:
//   customer  string        id of the customer
//   user      integer       id of the user
//   limit     integer = 60  how many courses and assets at most, latest first
// Columns:
//   nodes          the user and what is around
//   relationships  the user's, and from each course and asset to the two here that are most alike
MATCH (user:User {customer_id: $customer, id: $user})
CALL (user) {
  MATCH (user)-[had:IS_ENROLLED|HAS_WATCHED]->(item)
  WITH item, had ORDER BY had.recency DESC, item.id LIMIT $limit
  RETURN collect(item) AS items, collect(had) AS history
}
RETURN [user] + items + COLLECT { MATCH (user)-[:WORKS_AT|SPEAKS]->(node) RETURN node } AS nodes,
  history + COLLECT { MATCH (user)-[r:WORKS_AT|SPEAKS]->() RETURN r }
    + COLLECT { UNWIND items AS item MATCH (user)-[r:HAS_RATED]->(item) RETURN r }
    + COLLECT {
      UNWIND items AS item
      CALL (item, items) {
        MATCH (item)-[r:SIMILAR_TO]->(other) WHERE other IN items
        RETURN r ORDER BY r.score DESC, other.id LIMIT 2
      }
      RETURN r
    }
    AS relationships
