locals {
  customers = toset([for customer in yamldecode(file(var.customers_file)).customers : customer.id])

  database_prefix = "${replace(var.name, "-", "_")}_landing_"
  marts_database  = "${replace(var.name, "-", "_")}_marts"
  crawler_prefix  = "${var.name}-landing-"
  secret          = "${var.name}/neo4j"
  results         = "athena-results" # as recograph/lake/layout.py has it

  # Policies name what they allow by ARNs made here, not by those of the resources, and customers by the prefix of their
  # names: a new customer changes no policy, and the policies of a thousand are as long as those of one.
  arn     = "arn:${data.aws_partition.current.partition}"
  account = "${var.region}:${data.aws_caller_identity.current.account_id}"
  bucket  = "${local.arn}:s3:::${var.bucket}"
  glue    = "${local.arn}:glue:${local.account}"
  catalog = "${local.glue}:catalog"
  landing = ["${local.glue}:database/${local.database_prefix}*", "${local.glue}:table/${local.database_prefix}*/*"]
  marts   = ["${local.glue}:database/${local.marts_database}", "${local.glue}:table/${local.marts_database}/*"]
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}
