# What a deployment has, planned (once applied) with a mocked provider: no account is asked.
mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::recograph-test" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/mocked" }
  }
  mock_resource "aws_iam_policy" {
    defaults = { arn = "arn:aws:iam::123456789012:policy/mocked" }
  }
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:us-east-1:123456789012:mocked" }
  }
  mock_resource "aws_cloudwatch_event_rule" {
    defaults = { arn = "arn:aws:events:us-east-1:123456789012:rule/mocked" }
  }
}

variables {
  bucket         = "recograph-test"
  customers_file = "tests/customers.yaml"
}

run "three_customers" {
  command = plan

  assert {
    condition     = tolist(keys(aws_glue_crawler.landing)) == tolist(["customer_1", "customer_2", "customer_3"])
    error_message = "One crawler per customer."
  }
  assert {
    condition     = [for crawler in aws_glue_crawler.landing : crawler.s3_target[0].path] == [for id in ["customer_1", "customer_2", "customer_3"] : "s3://recograph-test/landing/${id}/"]
    error_message = "A crawler crawls its customer's prefix."
  }
  assert {
    condition     = alltrue([for id, crawler in aws_glue_crawler.landing : crawler.database_name == "recograph_landing_${id}" && crawler.name == "recograph-landing-${id}"])
    error_message = "Database and crawler are named after the customer, as the pipeline expects."
  }
  assert {
    condition     = alltrue([for crawler in aws_glue_crawler.landing : jsondecode(crawler.configuration).Grouping.TableLevelConfiguration == 4])
    error_message = "BUCKET/landing/CUSTOMER/TABLE: tables are on the fourth level."
  }
  assert {
    condition = alltrue([for crawler in aws_glue_crawler.landing :
      crawler.recrawl_policy[0].recrawl_behavior == "CRAWL_NEW_FOLDERS_ONLY" && crawler.schema_change_policy[0].update_behavior == "LOG" && crawler.schema_change_policy[0].delete_behavior == "LOG"
    ])
    error_message = "New folders only, which Glue takes with the policy LOG alone."
  }
}

run "a_fourth_customer_adds_one_crawler_and_one_database" {
  command = plan

  variables {
    customers_file = "tests/four_customers.yaml"
  }

  assert {
    condition     = setsubtract(keys(aws_glue_crawler.landing), ["customer_1", "customer_2", "customer_3"]) == toset(["customer_4"])
    error_message = "One more crawler."
  }
  assert {
    condition     = setsubtract(keys(aws_glue_catalog_database.landing), ["customer_1", "customer_2", "customer_3"]) == toset(["customer_4"])
    error_message = "One more database."
  }
  assert {
    condition     = length(aws_glue_crawler.landing) == 4 && length(aws_glue_catalog_database.landing) == 4
    error_message = "The three that were there stay."
  }
}

run "the_bucket_is_private_encrypted_versioned_and_kept" {
  command = plan

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.lake.block_public_acls,
      aws_s3_bucket_public_access_block.lake.block_public_policy,
      aws_s3_bucket_public_access_block.lake.ignore_public_acls,
      aws_s3_bucket_public_access_block.lake.restrict_public_buckets,
    ])
    error_message = "Public access is blocked in all four ways."
  }
  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.lake.rule).apply_server_side_encryption_by_default).sse_algorithm == "AES256"
    error_message = "Encrypted."
  }
  assert {
    condition     = aws_s3_bucket_versioning.lake.versioning_configuration[0].status == "Enabled"
    error_message = "Versioned."
  }
  assert {
    condition     = !aws_s3_bucket.lake.force_destroy && aws_athena_workgroup.pipeline.force_destroy
    error_message = "destroy keeps a bucket with something in it, unless told; a history of queries doesn't keep the workgroup."
  }
  assert {
    condition     = { for rule in aws_s3_bucket_lifecycle_configuration.lake.rule : rule.id => one(rule.expiration[*].days) if rule.id != "leftovers" } == { landing = 180, athena-results = 7, dagster-logs = 365 }
    error_message = "Old landing and results go; dumps stay."
  }
}

run "destroy_and_dump_retention_when_told" {
  command = plan

  variables {
    force_destroy       = true
    dump_retention_days = 30
  }

  assert {
    condition     = aws_s3_bucket.lake.force_destroy && contains(aws_s3_bucket_lifecycle_configuration.lake.rule[*].id, "dumps")
    error_message = "Told so, the bucket goes with its content, and dumps go after 30 days."
  }
}

run "athena_takes_the_clients_settings_and_limits_the_scan" {
  command = plan

  variables {
    query_limit_gib = 0.5
  }

  assert {
    condition     = !aws_athena_workgroup.pipeline.configuration[0].enforce_workgroup_configuration
    error_message = "Enforced settings would drop the marts' location."
  }
  assert {
    condition     = aws_athena_workgroup.pipeline.configuration[0].bytes_scanned_cutoff_per_query == 536870912
    error_message = "Half a GiB."
  }
  assert {
    condition     = aws_athena_workgroup.pipeline.configuration[0].engine_version[0].selected_engine_version == "Athena engine version 3"
    error_message = "Engine 3."
  }
}

run "policies_have_least_privilege" {
  # Applied, as a plan doesn't know what a data source reads of things still to be made.
  command = apply

  assert {
    condition = anytrue([for statement in data.aws_iam_policy_document.bucket.statement :
      statement.effect == "Deny" && anytrue([for condition in statement.condition : condition.variable == "aws:SecureTransport" && condition.values == tolist(["false"])])
    ])
    error_message = "Refused without TLS."
  }

  assert {
    condition = alltrue([for statement in data.aws_iam_policy_document.crawler.statement :
      !anytrue([for action in statement.actions : action == "*" || endswith(action, ":*") || startswith(action, "s3:Put") || startswith(action, "s3:Delete")]) && !contains(statement.resources, "*")
    ])
    error_message = "A crawler changes nothing in S3, and has no wildcard."
  }
  assert {
    condition = (
      flatten([for statement in data.aws_iam_policy_document.crawler.statement : statement.resources if contains(statement.actions, "s3:GetObject")])
      == ["arn:aws:s3:::recograph-test/landing/*"]
    )
    error_message = "A crawler reads what was landed alone."
  }
  assert {
    condition = alltrue([for statement in data.aws_iam_policy_document.pipeline.statement :
      !anytrue([for action in statement.actions : endswith(action, "*")]) && !contains(statement.resources, "*")
    ])
    error_message = "The pipeline's policy names each action and each resource."
  }
  assert {
    condition = alltrue([for statement in data.aws_iam_policy_document.pipeline.statement :
      !contains(statement.resources, "arn:aws:s3:::recograph-test/dumps/*") || tolist(statement.actions) == tolist(["s3:GetObject"])
    ])
    error_message = "The pipeline reads dumps and never writes them."
  }
}

run "the_environment_names_what_was_made" {
  command = plan

  assert {
    condition = output.env == join("\n", [
      "export RECOGRAPH_LAKE=s3://recograph-test",
      "export AWS_REGION=us-east-1",
      "export AWS_DEFAULT_REGION=us-east-1", # boto3 reads this one alone
      "export RECOGRAPH_ATHENA_WORKGROUP=recograph",
      "export RECOGRAPH_MARTS_DATABASE=recograph_marts",
      "export RECOGRAPH_LANDING_DATABASE_PREFIX=recograph_landing_",
      "export RECOGRAPH_CRAWLER_PREFIX=recograph-landing-",
      "export RECOGRAPH_NEO4J_SECRET=recograph/neo4j",
      "",
    ])
    error_message = "Lines for a shell."
  }
}

run "no_alarms_and_no_secret_value_unless_asked" {
  command = plan

  assert {
    condition     = length(aws_sns_topic.alarms) + length(aws_cloudwatch_event_rule.crawler_failed) + length(aws_budgets_budget.monthly) == 0
    error_message = "Alarms are options."
  }
  assert {
    condition     = length(aws_secretsmanager_secret_version.neo4j) == 0
    error_message = "The secret is made without a value."
  }
}

run "alarms_and_secret_when_asked" {
  command = plan

  variables {
    alarm_emails       = ["data@example.com", "ops@example.com"]
    monthly_budget_usd = 50
    neo4j              = { uri = "neo4j+s://graph.example.com", username = "neo4j", password = "not-a-real-one" }
    neo4j_version      = 1
  }

  assert {
    condition     = length(aws_sns_topic_subscription.alarms) == 2 && jsondecode(aws_cloudwatch_event_rule.crawler_failed[0].event_pattern).detail.crawlerName[0].prefix == "recograph-landing-"
    error_message = "Both are told of the failed crawlers of this deployment."
  }
  assert {
    condition     = aws_budgets_budget.monthly[0].limit_amount == "50" && length(aws_budgets_budget.monthly[0].notification) == 2
    error_message = "A budget with two alarms."
  }
  assert {
    condition     = aws_secretsmanager_secret_version.neo4j[0].secret_string == null || aws_secretsmanager_secret_version.neo4j[0].secret_string == ""
    error_message = "The value isn't in the state."
  }
}

run "what_a_company_must_have" {
  command = plan

  variables {
    kms_key_arn              = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    permissions_boundary_arn = "arn:aws:iam::123456789012:policy/boundary"
    access_log_bucket        = "acme-access-logs"
    vpc_endpoint_ids         = ["vpce-0123456789abcdef0"]
    tags                     = { owner = "data", cost-center = "42" }
    alarm_emails             = ["data@example.com"]
  }

  assert {
    condition = alltrue([for key in [
      one(one(aws_s3_bucket_server_side_encryption_configuration.lake.rule).apply_server_side_encryption_by_default).kms_master_key_id,
      aws_athena_workgroup.pipeline.configuration[0].result_configuration[0].encryption_configuration[0].kms_key_arn,
      aws_secretsmanager_secret.neo4j.kms_key_id,
      aws_cloudwatch_log_group.dagster.kms_key_id,
      aws_glue_security_configuration.crawlers[0].encryption_configuration[0].cloudwatch_encryption[0].kms_key_arn,
      aws_sns_topic.alarms[0].kms_master_key_id,
    ] : key == var.kms_key_arn])
    error_message = "Bucket, results, secret, logs and alarms are encrypted with the key."
  }
  assert {
    condition     = alltrue([for crawler in aws_glue_crawler.landing : crawler.security_configuration == "recograph-crawlers"])
    error_message = "The crawlers' log, too."
  }
  assert {
    condition = alltrue([for document in [data.aws_iam_policy_document.pipeline, data.aws_iam_policy_document.crawler] :
      anytrue([for statement in document.statement : contains(statement.actions, "kms:Decrypt") && statement.resources == toset([var.kms_key_arn])])
    ])
    error_message = "Pipeline and crawlers may use it."
  }
  assert {
    condition     = aws_iam_role.pipeline[0].permissions_boundary == var.permissions_boundary_arn && aws_iam_role.crawler.permissions_boundary == var.permissions_boundary_arn
    error_message = "Every role has the boundary."
  }
  assert {
    condition     = aws_s3_bucket_logging.lake[0].target_bucket == "acme-access-logs" && aws_s3_bucket_logging.lake[0].target_prefix == "recograph-test/"
    error_message = "The access log is written."
  }
  assert {
    condition = anytrue([for statement in data.aws_iam_policy_document.bucket.statement : statement.effect == "Deny" && alltrue([
      for wanted in ["aws:SourceVpce", "aws:ViaAWSService", "aws:PrincipalArn"] : contains(statement.condition[*].variable, wanted)
    ])])
    error_message = "Objects are read and written through the endpoints, by Athena and by the crawlers alone."
  }
}
