// How are the ratings of courses and assets distributed?
// Parameters:
//   customer  string  id of the customer
// Columns:
//   kind     Course or Asset
//   rating   the rating
//   ratings  how many there are
// Chart: columns of ratings by rating, kind
MATCH (item:Course|Asset)
WHERE item.customer_id = $customer AND item.id IS NOT NULL
MATCH (item)<-[rated:HAS_RATED]-()
RETURN CASE WHEN item:Course THEN 'Course' ELSE 'Asset' END AS kind, rated.rating AS rating, count(*) AS ratings
ORDER BY kind DESC, rating DESC
