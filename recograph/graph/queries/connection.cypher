// How are two users connected: what is the shortest way over courses and assets that people share?
// Parameters:
//   customer    string   id of the customer
//   user        integer  id of a user
//   other_user  integer  id of another user
// Columns:
//   step   0 is the first user
//   kind   User, Course or Asset
//   id     its id
//   title  of a course or asset
MATCH (one:User {customer_id: $customer, id: $user}), (other:User {customer_id: $customer, id: $other_user})
MATCH way = SHORTEST 1 (one)-[:IS_ENROLLED|HAS_WATCHED]-{0,8}(other)
UNWIND range(0, length(way)) AS step
WITH step, nodes(way)[step] AS node
RETURN step, head(labels(node)) AS kind, node.id AS id, coalesce(node.name, node.title) AS title
ORDER BY step
