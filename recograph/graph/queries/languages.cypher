// Which languages do a customer's users speak?
// Parameters:
//   customer  string  id of the customer
// Columns:
//   language_id  id of the language; empty for users without one
//   language     its name
//   users        how many speak it
//   share        of all users of the customer, 0 to 1
// Chart: bars of users by language
MATCH (user:User)
WHERE user.customer_id = $customer AND user.id IS NOT NULL
OPTIONAL MATCH (user)-[:SPEAKS]->(language:Language)
WITH language, count(*) AS users
WITH collect({language: language, users: users}) AS rows, sum(users) AS total
UNWIND rows AS row
RETURN row.language.id AS language_id, row.language.language_name AS language, row.users AS users,
  round(toFloat(row.users) / total, 3) AS share
ORDER BY users DESC, language_id
