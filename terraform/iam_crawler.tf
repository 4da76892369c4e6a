# One role a customer: a crawler reads its customer's prefix and writes its customer's database, nothing else.
data "aws_iam_policy_document" "crawler_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["glue.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

resource "aws_iam_role" "crawler" {
  for_each = local.customers
  # A role's name has 64 characters at most; a longer one is cut and gets a digest.
  name = (
    length("${var.name}-crawler-${each.key}") <= 64
    ? "${var.name}-crawler-${each.key}"
    : "${substr("${var.name}-crawler-${each.key}", 0, 55)}-${substr(sha1(each.key), 0, 8)}"
  )
  description        = "Lets the crawler of ${each.key} read what was landed and register it."
  assume_role_policy = data.aws_iam_policy_document.crawler_trust.json
}

data "aws_iam_policy_document" "crawler" {
  for_each = local.customers

  statement {
    sid       = "ListLanding"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.lake.arn]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["landing/${each.key}/*"]
    }
  }

  statement {
    sid       = "FindBucket"
    actions   = ["s3:GetBucketLocation"]
    resources = [aws_s3_bucket.lake.arn]
  }

  statement {
    sid       = "ReadLanding"
    actions   = ["s3:GetObject"]
    resources = ["${aws_s3_bucket.lake.arn}/landing/${each.key}/*"]
  }

  statement {
    sid = "Register"
    actions = [
      "glue:GetDatabase",
      "glue:GetTable",
      "glue:GetTables",
      "glue:CreateTable",
      "glue:UpdateTable",
      "glue:GetPartition",
      "glue:GetPartitions",
      "glue:BatchGetPartition",
      "glue:CreatePartition",
      "glue:BatchCreatePartition",
      "glue:UpdatePartition",
      "glue:CreatePartitionIndex",
      "glue:GetPartitionIndexes",
    ]
    resources = [
      "${local.glue}:catalog",
      "${local.glue}:database/${local.database_prefix}${each.key}",
      "${local.glue}:table/${local.database_prefix}${each.key}/*",
    ]
  }

  statement {
    sid       = "Log"
    actions   = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${replace(local.glue, ":glue:", ":logs:")}:log-group:/aws-glue/crawlers*"]
  }
}

resource "aws_iam_role_policy" "crawler" {
  for_each = local.customers
  name     = "crawl-${each.key}"
  role     = aws_iam_role.crawler[each.key].id
  policy   = data.aws_iam_policy_document.crawler[each.key].json
}
