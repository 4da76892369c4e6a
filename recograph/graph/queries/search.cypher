// Which courses and assets have these words in their titles?
// Parameters:
//   words     string          what to look for, in Lucene's syntax
//   customer  string = null   id of the customer; all without
//   indexes   strings = ["course_fulltext","asset_fulltext"]  which full-text indexes to look into
//   limit     integer = 20    how many rows at most
// Columns:
//   kind      label of what was found, such as Course
//   customer  whose it is
//   id        its id
//   title     its title
//   score     how well it fits, greater is better
UNWIND $indexes AS index
CALL db.index.fulltext.queryNodes(index, $words) YIELD node, score
WHERE $customer IS NULL OR node.customer_id = $customer
RETURN head(labels(node)) AS kind, node.customer_id AS customer, node.id AS id,
  coalesce(node.name, node.title) AS title, round(score, 3) AS score
ORDER BY score DESC, kind DESC, customer, id
LIMIT $limit
