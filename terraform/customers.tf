locals {
  customers = toset([for customer in yamldecode(file(var.customers_file)).customers : customer.id])

  database_prefix = "${replace(var.name, "-", "_")}_landing_"
  crawler_prefix  = "${var.name}-landing-"

  arn = "arn:${data.aws_partition.current.partition}"
  # Of this region and account: what Glue's and Athena's ARNs go on with.
  here = "${var.region}:${data.aws_caller_identity.current.account_id}"
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}
