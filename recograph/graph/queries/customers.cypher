// What does the graph hold of each customer?
// Parameters:
// Columns:
//   customer    id of the customer
//   name        the company's name
//   users       how many users there are
//   courses     how many courses there are
//   assets      how many assets there are
//   enrolments  how many enrolments there are
//   views       how many pairs of a user and an asset that the user watched
// Chart: bars of users by name
MATCH (customer:Customer)
RETURN customer.id AS customer, customer.name AS name, COUNT { (customer)<-[:WORKS_AT]-() } AS users,
  COUNT { (c:Course) WHERE c.customer_id = customer.id AND c.id IS NOT NULL } AS courses,
  COUNT { (a:Asset) WHERE a.customer_id = customer.id AND a.id IS NOT NULL } AS assets,
  COLLECT {
    MATCH (c:Course) WHERE c.customer_id = customer.id AND c.id IS NOT NULL
    RETURN sum(COUNT { (c)<-[:IS_ENROLLED]-() })
  }[0] AS enrolments,
  COLLECT {
    MATCH (a:Asset) WHERE a.customer_id = customer.id AND a.id IS NOT NULL
    RETURN sum(COUNT { (a)<-[:HAS_WATCHED]-() })
  }[0] AS views
ORDER BY customer
