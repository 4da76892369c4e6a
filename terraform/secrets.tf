# Where Neo4j is and who may enter: a JSON object with uri, username and password.
resource "aws_secretsmanager_secret" "neo4j" {
  name                    = local.secret
  description             = "Neo4j connection of the recograph pipeline: a JSON object with uri, username and password."
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.secret_recovery_days
}

resource "aws_secretsmanager_secret_version" "neo4j" {
  count                    = var.neo4j_version > 0 ? 1 : 0
  secret_id                = aws_secretsmanager_secret.neo4j.id
  secret_string_wo         = var.neo4j == null ? null : jsonencode(var.neo4j)
  secret_string_wo_version = var.neo4j_version
}
