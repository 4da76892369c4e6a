// Which courses and assets have these words in their titles?
// Parameters:
//   words     string          what to look for, in Lucene's syntax
//   customer  string = null   id of the customer; all without
//   indexes   strings = ["course_fulltext","asset_fulltext"]  which full-text indexes to look into
//   dropped   strings = []    words that the indexes leave out, to look for in the titles themselves
//   labels    strings = ["Course","Asset"]  whose titles are looked through for them
//   limit     integer = 20    how many rows at most
// Columns:
//   kind      label of what was found, such as Course
//   customer  whose it is
//   id        its id
//   title     its title
//   score     how well it fits, greater is better
CALL () {
  UNWIND $indexes AS index
  CALL db.index.fulltext.queryNodes(index, $words) YIELD node, score
  WHERE $customer IS NULL OR node.customer_id = $customer
  RETURN node, score
  UNION ALL
  // All titles are looked through; the fewer words one has, the better it fits.
  UNWIND CASE WHEN $dropped = [] THEN [] ELSE $labels END AS label
  MATCH (node:$(label))
  WHERE $customer IS NULL OR node.customer_id = $customer
  WITH node, split(toLower(coalesce(node.name, node.title)),
    [" ", "-", "–", "/", "|", ":", ";", ",", ".", "!", "?", "(", ")", "[", "]", "&", "+", "'", "’", '"']) AS parts
  WHERE any(word IN $dropped WHERE word IN parts)
  RETURN node, 100.0 / size(parts) AS score
}
WITH node, max(score) AS score
RETURN head(labels(node)) AS kind, node.customer_id AS customer, node.id AS id,
  coalesce(node.name, node.title) AS title, round(score, 3) AS score
ORDER BY score DESC, kind DESC, customer, id
LIMIT $limit
