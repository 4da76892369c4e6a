output "env" {
  description = "The pipeline's environment: eval \"$(terraform -chdir=terraform output -raw env)\"."
  value       = <<-EOT
    export RECOGRAPH_LAKE=s3://${aws_s3_bucket.lake.bucket}
    export AWS_REGION=${var.region}
    export AWS_DEFAULT_REGION=${var.region}
    export RECOGRAPH_ATHENA_WORKGROUP=${aws_athena_workgroup.pipeline.name}
    export RECOGRAPH_MARTS_DATABASE=${aws_glue_catalog_database.marts.name}
    export RECOGRAPH_LANDING_DATABASE_PREFIX=${local.database_prefix}
    export RECOGRAPH_CRAWLER_PREFIX=${local.crawler_prefix}
    export RECOGRAPH_NEO4J_SECRET=${aws_secretsmanager_secret.neo4j.name}
  EOT
}

output "bucket" {
  description = "The landing bucket."
  value       = aws_s3_bucket.lake.bucket
}

output "crawlers" {
  description = "The crawler of each customer."
  value       = { for customer, crawler in aws_glue_crawler.landing : customer => crawler.name }
}

output "databases" {
  description = "The Glue database of each customer's landed tables."
  value       = { for customer, database in aws_glue_catalog_database.landing : customer => database.name }
}

output "log_group" {
  description = "Where Dagster's containers write their logs."
  value       = aws_cloudwatch_log_group.dagster.name
}

output "pipeline_policy_arn" {
  description = "The policy that lets a role run the pipeline."
  value       = aws_iam_policy.pipeline.arn
}

output "pipeline_role_arn" {
  description = "The role for Dagster's code location and runs, or null where nobody was named who may take it."
  value       = one(aws_iam_role.pipeline[*].arn)
}
