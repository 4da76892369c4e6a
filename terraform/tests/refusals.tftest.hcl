# Values that are refused, each by its own variable, before anything is planned.
mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

variables {
  bucket         = "recograph-test"
  customers_file = "tests/customers.yaml"
}

run "wrong_in_every_variable" {
  command = plan

  variables {
    bucket                 = "Recograph"
    region                 = "Frankfurt"
    name                   = "reco graph"
    customers_file         = "tests/nobody.yaml"
    dump_retention_days    = 0.5
    landing_retention_days = 3
    results_retention_days = 0
    noncurrent_days        = 0
    query_limit_gib        = 0.001
    pipeline_services      = ["ecs"]
    pipeline_principals    = ["*"]
    neo4j                  = { uri = "https://graph.example.com", username = "neo4j", password = "x" }
    neo4j_version          = 0.5
    secret_recovery_days   = 3
    alarm_emails           = ["nobody"]

    kms_key_arn              = "alias/recograph"
    permissions_boundary_arn = "boundary"
    vpc_endpoint_ids         = ["vpc-1"]
    log_retention_days       = 2
  }

  expect_failures = [
    var.bucket,
    var.region,
    var.name,
    var.customers_file,
    var.dump_retention_days,
    var.landing_retention_days,
    var.results_retention_days,
    var.noncurrent_days,
    var.query_limit_gib,
    var.pipeline_services,
    var.pipeline_principals,
    var.neo4j,
    var.neo4j_version,
    var.secret_recovery_days,
    var.alarm_emails,
    var.kms_key_arn,
    var.permissions_boundary_arn,
    var.vpc_endpoint_ids,
    var.log_retention_days,
  ]
}

run "a_name_that_holds_that_of_another_deployment_and_a_log_in_the_lake_itself" {
  command = plan

  variables {
    name              = "recograph-landing-2"
    access_log_bucket = "recograph-test"
  }

  expect_failures = [var.name, var.access_log_bucket]
}

run "a_bucket_with_dots_an_id_with_a_hyphen_a_login_without_password_a_budget_that_nobody_hears_of" {
  command = plan

  variables {
    bucket             = "reco.graph.test"
    customers_file     = "tests/hyphenated_customer.yaml"
    neo4j              = { uri = "neo4j+s://graph.example.com", username = "neo4j", password = "" }
    monthly_budget_usd = 50
  }

  expect_failures = [var.bucket, var.customers_file, var.neo4j, var.monthly_budget_usd]
}

run "a_file_without_customers_and_a_budget_below_zero" {
  command = plan

  variables {
    customers_file     = "tests/no_customers.yaml"
    alarm_emails       = ["data@example.com"]
    monthly_budget_usd = -1
  }

  expect_failures = [var.customers_file, var.monthly_budget_usd]
}
