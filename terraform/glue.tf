resource "aws_glue_catalog_database" "landing" {
  for_each    = local.customers
  name        = "${local.database_prefix}${each.key}"
  description = "Landed tables of ${each.key}, made by its crawler."
}

resource "aws_glue_catalog_database" "marts" {
  name         = local.marts_database
  description  = "Marts of all customers, partitioned by customer and snapshot date, made by dbt."
  location_uri = "s3://${aws_s3_bucket.lake.bucket}/marts/"
}

# Crawlers write no data; what is encrypted with the key is their log.
resource "aws_glue_security_configuration" "crawlers" {
  count = var.kms_key_arn == null ? 0 : 1
  name  = "${var.name}-crawlers"

  encryption_configuration {
    cloudwatch_encryption {
      cloudwatch_encryption_mode = "SSE-KMS"
      kms_key_arn                = var.kms_key_arn
    }

    job_bookmarks_encryption {
      job_bookmarks_encryption_mode = "CSE-KMS"
      kms_key_arn                   = var.kms_key_arn
    }

    s3_encryption {
      s3_encryption_mode = "SSE-KMS"
      kms_key_arn        = var.kms_key_arn
    }
  }
}

resource "aws_glue_crawler" "landing" {
  for_each    = local.customers
  name        = "${local.crawler_prefix}${each.key}"
  description = "Discovers what was landed of ${each.key}."
  role        = aws_iam_role.crawler.arn
  # Not by the database's own resource: among a thousand, Terraform takes a minute to look each of them up.
  database_name = "${local.database_prefix}${each.key}"

  security_configuration = one(aws_glue_security_configuration.crawlers[*].name)

  s3_target {
    path = "s3://${aws_s3_bucket.lake.bucket}/landing/${each.key}/"
  }

  # Only folders that no crawl has seen: a day costs the same however many there are. Glue then takes no policy but LOG.
  recrawl_policy {
    recrawl_behavior = "CRAWL_NEW_FOLDERS_ONLY"
  }

  schema_change_policy {
    update_behavior = "LOG"
    delete_behavior = "LOG"
  }

  # Glue's own default, but one that it shows as a difference when it isn't written down.
  lineage_configuration {
    crawler_lineage_settings = "DISABLE"
  }

  configuration = jsonencode({
    Version = 1.0
    Grouping = {
      TableGroupingPolicy = "CombineCompatibleSchemas"
      # Tables are the folders of the fourth level: BUCKET/landing/CUSTOMER/TABLE. Without it, tables that look alike
      # become partitions of one.
      TableLevelConfiguration = 4
    }
    CrawlerOutput = {
      Partitions = { AddOrUpdateBehavior = "InheritFromTable" }
    }
  })

  lifecycle {
    # Glue refuses to move the target of a crawler that remembers folders.
    replace_triggered_by = [aws_s3_bucket.lake.id]
  }

  depends_on = [aws_iam_role_policy.crawler, aws_glue_catalog_database.landing]
}
