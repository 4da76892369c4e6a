resource "aws_athena_workgroup" "pipeline" {
  name        = var.name
  description = "Queries of the pipeline and of people who look at its tables."
  # What it holds is a history of queries, which is there after the first one.
  force_destroy = true

  configuration {
    # When true, RECOGRAPH_ATHENA_RESULTS and where people want their results would say nothing.
    enforce_workgroup_configuration    = false
    publish_cloudwatch_metrics_enabled = true
    bytes_scanned_cutoff_per_query     = floor(var.query_limit_gib * 1024 * 1024 * 1024)

    engine_version {
      selected_engine_version = "Athena engine version 3"
    }

    result_configuration {
      output_location = "s3://${aws_s3_bucket.lake.bucket}/${local.results}/"

      encryption_configuration {
        encryption_option = var.kms_key_arn == null ? "SSE_S3" : "SSE_KMS"
        kms_key_arn       = var.kms_key_arn
      }
    }
  }
}
