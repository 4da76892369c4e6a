locals {
  customers = toset([for customer in yamldecode(file(var.customers_file)).customers : customer.id])

  database_prefix = "${replace(var.name, "-", "_")}_landing_"
  marts_database  = "${replace(var.name, "-", "_")}_marts"
  crawler_prefix  = "${var.name}-landing-"

  arn = "arn:${data.aws_partition.current.partition}"
  # Of this region and account. Policies name what they allow by ARNs made here, not by those of the resources: a new
  # customer would else make the policies of all others look changed.
  glue = "${local.arn}:glue:${var.region}:${data.aws_caller_identity.current.account_id}"
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}
