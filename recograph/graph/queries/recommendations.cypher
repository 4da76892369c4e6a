// What should a user take and watch next?
// Parameters:
//   customer   string                        id of the customer
//   user       integer                       id of the user
//   k          integer = 10                  how many courses, and how many assets
//   kinds      strings = ["Course","Asset"]  which of the two
//   newcomers  boolean = true                also a kind of which the user had nothing yet
// Columns:
//   kind          Course or Asset
//   item_id       id of the course or asset
//   title         its title
//   score         sum of the scores with which what the user had leads to it; 0 where only popular
//   because_of    titles of what the user had that weigh most; empty where only popular
//   popularity    users who had it; of those who speak the language, where one is named
//   popular_with  language of the user, who had nothing yet: popularity is that with those who speak it
MATCH (user:User {customer_id: $customer, id: $user})
WITH user, COLLECT { MATCH (user)-[:SPEAKS]->(language:Language) RETURN language ORDER BY language.id } AS languages
CALL (user, languages) {
  WITH user, [one IN languages | one.id] AS speaks,
    CASE WHEN EXISTS { (user)-[:IS_ENROLLED]->() } THEN null ELSE languages[0] END AS peers
  WHERE 'Course' IN $kinds AND ($newcomers OR EXISTS { (user)-[:IS_ENROLLED]->() })
  CALL (user, speaks) {
    MATCH (user)-[:IS_ENROLLED]->(source:Course)-[leads:SIMILAR_TO]->(item:Course)
    WHERE NOT EXISTS { (user)-[:IS_ENROLLED]->(item) } AND coalesce(item.status, 2) IN [1, 2]
      AND (item.language IS NULL OR speaks = [] OR item.language IN speaks)
    WITH item, source, leads.score AS part ORDER BY part DESC, source.id
    WITH item, round(sum(part), 6) AS score, collect(source.name)[..2] AS because_of
    WITH item, score, because_of, COUNT { (item)<-[:IS_ENROLLED]-() } AS popularity
    ORDER BY score DESC, popularity DESC, item.id LIMIT $k
    RETURN collect({item: item, score: score, because_of: because_of, popularity: popularity}) AS similar
  }
  CALL (user, speaks, peers) {
    // who had nothing gets what is popular with those who speak the language; counted once for all items
    UNWIND CASE WHEN peers IS NULL THEN [] ELSE [peers] END AS spoken
    MATCH (peer:User)-[:SPEAKS]->(spoken) WHERE peer.customer_id = user.customer_id AND peer.id IS NOT NULL
    WITH peer, speaks
    MATCH (peer)-[:IS_ENROLLED]->(item:Course)
    WITH item, speaks, count(*) AS popularity
    WHERE (item.language IS NULL OR speaks = [] OR item.language IN speaks) AND coalesce(item.status, 2) IN [1, 2]
    WITH item, popularity ORDER BY popularity DESC, item.id LIMIT $k
    RETURN collect({item: item, score: 0.0, because_of: [], popularity: popularity}) AS chosen
  }
  CALL (user, speaks, peers, similar, chosen) {
    // what is popular with all fills up
    UNWIND CASE WHEN size(similar) + size(chosen) < $k THEN [1] ELSE [] END AS wanted
    MATCH (item:Course)
    WHERE item.customer_id = user.customer_id AND item.id IS NOT NULL AND coalesce(item.status, 2) IN [1, 2]
      AND NOT EXISTS { (user)-[:IS_ENROLLED]->(item) } AND NOT item IN [one IN similar + chosen | one.item]
      AND (item.language IS NULL OR speaks = [] OR item.language IN speaks)
    WITH item, CASE WHEN peers IS NULL THEN COUNT { (item)<-[:IS_ENROLLED]-() } ELSE 0 END AS popularity
    ORDER BY popularity DESC, item.id LIMIT $k
    RETURN collect({item: item, score: 0.0, because_of: [], popularity: popularity}) AS popular
  }
  UNWIND (similar + chosen + popular)[..$k] AS row
  RETURN 'Course' AS kind, row, peers.language_name AS popular_with
UNION ALL
  WITH user, [one IN languages | one.id] AS speaks,
    CASE WHEN EXISTS { (user)-[:HAS_WATCHED]->() } THEN null ELSE languages[0] END AS peers
  WHERE 'Asset' IN $kinds AND ($newcomers OR EXISTS { (user)-[:HAS_WATCHED]->() })
  CALL (user, speaks) {
    MATCH (user)-[:HAS_WATCHED]->(source:Asset)-[leads:SIMILAR_TO]->(item:Asset)
    WHERE NOT EXISTS { (user)-[:HAS_WATCHED]->(item) }
      AND (item.language IS NULL OR speaks = [] OR item.language IN speaks)
    WITH item, source, leads.score AS part ORDER BY part DESC, source.id
    WITH item, round(sum(part), 6) AS score, collect(source.title)[..2] AS because_of
    WITH item, score, because_of, COUNT { (item)<-[:HAS_WATCHED]-() } AS popularity
    ORDER BY score DESC, popularity DESC, item.id LIMIT $k
    RETURN collect({item: item, score: score, because_of: because_of, popularity: popularity}) AS similar
  }
  CALL (user, speaks, peers) {
    // who had nothing gets what is popular with those who speak the language; counted once for all items
    UNWIND CASE WHEN peers IS NULL THEN [] ELSE [peers] END AS spoken
    MATCH (peer:User)-[:SPEAKS]->(spoken) WHERE peer.customer_id = user.customer_id AND peer.id IS NOT NULL
    WITH peer, speaks
    MATCH (peer)-[:HAS_WATCHED]->(item:Asset)
    WITH item, speaks, count(*) AS popularity
    WHERE (item.language IS NULL OR speaks = [] OR item.language IN speaks)
    WITH item, popularity ORDER BY popularity DESC, item.id LIMIT $k
    RETURN collect({item: item, score: 0.0, because_of: [], popularity: popularity}) AS chosen
  }
  CALL (user, speaks, peers, similar, chosen) {
    // what is popular with all fills up
    UNWIND CASE WHEN size(similar) + size(chosen) < $k THEN [1] ELSE [] END AS wanted
    MATCH (item:Asset)
    WHERE item.customer_id = user.customer_id AND item.id IS NOT NULL
      AND NOT EXISTS { (user)-[:HAS_WATCHED]->(item) } AND NOT item IN [one IN similar + chosen | one.item]
      AND (item.language IS NULL OR speaks = [] OR item.language IN speaks)
    WITH item, CASE WHEN peers IS NULL THEN COUNT { (item)<-[:HAS_WATCHED]-() } ELSE 0 END AS popularity
    ORDER BY popularity DESC, item.id LIMIT $k
    RETURN collect({item: item, score: 0.0, because_of: [], popularity: popularity}) AS popular
  }
  UNWIND (similar + chosen + popular)[..$k] AS row
  RETURN 'Asset' AS kind, row, peers.language_name AS popular_with
}
RETURN kind, row.item.id AS item_id, coalesce(row.item.name, row.item.title) AS title, row.score AS score,
  row.because_of AS because_of, row.popularity AS popularity, popular_with
ORDER BY kind DESC, score DESC, popularity DESC, item_id
