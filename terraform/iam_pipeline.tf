# What the pipeline calls, and no more. Attach the policy to a role of your own, or use the role below.

data "aws_iam_policy_document" "pipeline" {
  statement {
    sid       = "FindBucket"
    actions   = ["s3:GetBucketLocation", "s3:ListBucketMultipartUploads"]
    resources = [local.bucket]
  }

  statement {
    sid = "ListPrefixes"
    # Versions, because an erasure tells how many copies of older days the bucket still keeps.
    actions   = ["s3:ListBucket", "s3:ListBucketVersions"]
    resources = [local.bucket]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["dumps/*", "landing/*", "marts/*", "erased/*", "${local.results}/*", "dagster-logs/*"]
    }
  }

  statement {
    sid       = "ReadDumps"
    actions   = ["s3:GetObject"]
    resources = ["${local.bucket}/dumps/*"]
  }

  statement {
    sid = "ReadAndWriteLake"
    actions = [
      "s3:GetObject",
      "s3:PutObject",
      "s3:DeleteObject",
      "s3:AbortMultipartUpload",
      "s3:ListMultipartUploadParts",
    ]
    resources = [for prefix in ["landing", "marts", "erased", local.results, "dagster-logs"] : "${local.bucket}/${prefix}/*"]
  }

  statement {
    sid = "ReadCatalog"
    actions = [
      "glue:GetDatabase",
      "glue:GetTable",
      "glue:GetTables",
      "glue:GetPartition",
      "glue:GetPartitions",
      "glue:BatchGetPartition",
    ]
    # Athena looks into the database "default" before any other.
    resources = concat([local.catalog, "${local.glue}:database/default"], local.marts, local.landing)
  }

  # dbt looks for its database among all; this shows names, not tables.
  statement {
    sid       = "ListDatabases"
    actions   = ["glue:GetDatabases"]
    resources = [local.catalog, "${local.glue}:database/*"]
  }

  statement {
    sid = "RegisterLanding"
    actions = [
      "glue:CreateTable",
      "glue:UpdateTable",
      "glue:CreatePartition",
      "glue:BatchCreatePartition",
      "glue:UpdatePartition",
      # Retention takes days out whose files are gone.
      "glue:BatchDeletePartition",
    ]
    resources = concat([local.catalog], local.landing)
  }

  # dbt makes, replaces and drops tables and partitions of the marts, through Athena and by itself.
  statement {
    sid = "BuildMarts"
    actions = [
      "glue:CreateTable",
      "glue:UpdateTable",
      "glue:DeleteTable",
      "glue:CreatePartition",
      "glue:BatchCreatePartition",
      "glue:UpdatePartition",
      "glue:DeletePartition",
      "glue:BatchDeletePartition",
      "glue:GetTableVersions",
      "glue:DeleteTableVersion",
    ]
    resources = concat([local.catalog], local.marts)
  }

  statement {
    sid       = "RunCrawlers"
    actions   = ["glue:StartCrawler", "glue:GetCrawler"]
    resources = ["${local.glue}:crawler/${local.crawler_prefix}*"]
  }

  statement {
    sid = "Query"
    actions = [
      "athena:GetWorkGroup",
      "athena:StartQueryExecution",
      "athena:StopQueryExecution",
      "athena:GetQueryExecution",
      "athena:GetQueryResults",
    ]
    resources = ["${local.arn}:athena:${local.account}:workgroup/${var.name}"]
  }

  statement {
    sid     = "ReadNeo4jLogin"
    actions = ["secretsmanager:GetSecretValue"]
    # Secrets Manager ends a secret's ARN with six characters of its own.
    resources = ["${local.arn}:secretsmanager:${local.account}:secret:${local.secret}-??????"]
  }

  dynamic "statement" {
    for_each = var.kms_key_arn[*]

    content {
      sid       = "UseKey"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [statement.value]
    }
  }
}

resource "aws_iam_policy" "pipeline" {
  name        = "${var.name}-pipeline"
  description = "What the recograph pipeline calls."
  policy      = data.aws_iam_policy_document.pipeline.json
}

data "aws_iam_policy_document" "pipeline_trust" {
  dynamic "statement" {
    for_each = { for type, who in { Service = var.pipeline_services, AWS = var.pipeline_principals } : type => who if length(who) > 0 }

    content {
      actions = ["sts:AssumeRole"]

      principals {
        type        = statement.key
        identifiers = statement.value
      }
    }
  }
}

resource "aws_iam_role" "pipeline" {
  # A role that nobody may take can't be made.
  count                = length(concat(var.pipeline_services, var.pipeline_principals)) > 0 ? 1 : 0
  name                 = "${var.name}-pipeline"
  description          = "The recograph pipeline: Dagster's code location and its runs."
  assume_role_policy   = data.aws_iam_policy_document.pipeline_trust.json
  permissions_boundary = var.permissions_boundary_arn
}

resource "aws_iam_role_policy_attachment" "pipeline" {
  count      = length(aws_iam_role.pipeline)
  role       = aws_iam_role.pipeline[0].name
  policy_arn = aws_iam_policy.pipeline.arn
}
