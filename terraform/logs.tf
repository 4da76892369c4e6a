# Where the containers of deploy/task-definition.json write; those of the crawlers are AWS's own, /aws-glue/crawlers.
resource "aws_cloudwatch_log_group" "dagster" {
  name              = "/${var.name}/dagster"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}
