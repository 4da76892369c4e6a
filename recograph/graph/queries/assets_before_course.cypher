// What assets lead to enrolments in a course: which had its learners watched no later than they were active in it?
// Parameters:
//   customer  string        id of the customer
//   course    integer       id of the course
//   at_least  integer = 3   how many such learners an asset needs
//   limit     integer = 20  how many rows at most
// Columns:
//   asset_id  id of the asset
//   title     its title
//   learners  users who watched it and are enrolled in the course, the view not later than the course
//   viewers   all users who watched it
//   lift      how much likelier its viewers take the course than any user; above 1 it may lead there
// Chart: bars of lift by title
MATCH (customer:Customer {id: $customer})
WITH COUNT { (customer)<-[:WORKS_AT]-() } AS users
MATCH (course:Course {customer_id: $customer, id: $course})
WITH course, toFloat(COUNT { (course)<-[:IS_ENROLLED]-() }) / users AS usual
MATCH (course)<-[enrolment:IS_ENROLLED]-(:User)-[view:HAS_WATCHED]->(asset:Asset)
WHERE view.recency <= enrolment.recency
WITH asset, usual, count(*) AS learners
WHERE learners >= $at_least
WITH asset, usual, learners, COUNT { (asset)<-[:HAS_WATCHED]-() } AS viewers
RETURN asset.id AS asset_id, asset.title AS title, learners, viewers,
  round(toFloat(learners) / viewers / usual, 2) AS lift
ORDER BY lift DESC, learners DESC, asset_id
LIMIT $limit
