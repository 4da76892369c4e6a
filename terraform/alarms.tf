# Both alarms are options: alarm_emails turns on the mail about failed crawlers, monthly_budget_usd the budget.
locals {
  alarms = length(var.alarm_emails) > 0 ? 1 : 0
}

resource "aws_sns_topic" "alarms" {
  count = local.alarms
  name  = "${var.name}-alarms"
  # EventBridge publishes with the key only where the key's policy lets it: see README.md.
  kms_master_key_id = var.kms_key_arn
}

resource "aws_sns_topic_subscription" "alarms" {
  for_each  = toset(var.alarm_emails)
  topic_arn = aws_sns_topic.alarms[0].arn
  protocol  = "email"
  endpoint  = each.key
}

data "aws_iam_policy_document" "alarms" {
  count = local.alarms

  statement {
    actions   = ["sns:Publish"]
    resources = ["${local.arn}:sns:${local.account}:${var.name}-alarms"]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = ["${local.arn}:events:${local.account}:rule/${var.name}-crawler-failed"]
    }
  }
}

resource "aws_sns_topic_policy" "alarms" {
  count  = local.alarms
  arn    = aws_sns_topic.alarms[0].arn
  policy = data.aws_iam_policy_document.alarms[0].json
}

resource "aws_cloudwatch_event_rule" "crawler_failed" {
  count       = local.alarms
  name        = "${var.name}-crawler-failed"
  description = "A crawler of the landing zone failed."

  event_pattern = jsonencode({
    source      = ["aws.glue"]
    detail-type = ["Glue Crawler State Change"]
    detail = {
      state       = ["Failed"]
      crawlerName = [{ prefix = local.crawler_prefix }]
    }
  })
}

resource "aws_cloudwatch_event_target" "crawler_failed" {
  count = local.alarms
  rule  = aws_cloudwatch_event_rule.crawler_failed[0].name
  arn   = aws_sns_topic.alarms[0].arn
}

resource "aws_budgets_budget" "monthly" {
  count        = var.monthly_budget_usd > 0 ? 1 : 0
  name         = "${var.name}-monthly"
  budget_type  = "COST"
  limit_amount = tostring(var.monthly_budget_usd)
  limit_unit   = "USD"
  time_unit    = "MONTHLY"

  cost_filter {
    name   = "Service"
    values = ["Amazon Athena", "Amazon Simple Storage Service", "AWS Glue"]
  }

  dynamic "notification" {
    for_each = [80, 100]

    content {
      comparison_operator        = "GREATER_THAN"
      notification_type          = "ACTUAL"
      threshold                  = notification.value
      threshold_type             = "PERCENTAGE"
      subscriber_email_addresses = var.alarm_emails
    }
  }
}
