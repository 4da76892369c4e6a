variable "bucket" {
  description = "Name of the landing bucket to make: unique in all of AWS."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.bucket))
    error_message = "bucket must be 3 to 63 lower-case letters, digits and hyphens, with a letter or digit at both ends (no dots: they break TLS)."
  }
}

variable "region" {
  description = "AWS region of everything here."
  type        = string
  default     = "us-east-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must be the name of an AWS region, such as eu-west-1."
  }
}

variable "name" {
  description = "Begins the name of everything here, so that several deployments fit in one account. Databases take _ for -."
  type        = string
  default     = "recograph"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,19}$", var.name))
    error_message = "name must be 2 to 20 lower-case letters, digits and hyphens, starting with a letter."
  }

  # Policies know databases and crawlers by the prefix NAME-landing-.
  validation {
    condition     = !can(regex("-landing(-|$)", var.name))
    error_message = "name mustn't have the part -landing: a deployment whose name ends before it could write to this one's databases."
  }
}

variable "customers_file" {
  description = "The list of customers, from which prefixes, databases, crawlers and roles follow."
  type        = string
  default     = "../data/customers.yaml"

  validation {
    condition     = fileexists(var.customers_file)
    error_message = "customers_file must be an existing file; its path is relative to the terraform folder."
  }

  validation {
    condition     = !fileexists(var.customers_file) || can([for customer in yamldecode(file(var.customers_file)).customers : customer.id])
    error_message = "customers_file must be YAML with a list named customers whose entries have an id."
  }

  validation {
    condition = try(alltrue([
      for customer in yamldecode(file(var.customers_file)).customers : can(regex("^[a-z][a-z0-9_]{0,62}$", customer.id))
    ]), true)
    error_message = "Every customer's id must start with a letter and have lower-case letters, digits and _ alone, 63 at most."
  }
}

variable "s3_use_path_style" {
  description = "Address the bucket by path, as a store that isn't AWS's own wants it; `make` sets it where AWS_ENDPOINT_URL is set."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags for everything here, besides project = name."
  type        = map(string)
  default     = {}
}

variable "force_destroy" {
  description = "Let `terraform destroy` delete the bucket with all that is in it. When false, a bucket that isn't empty stays."
  type        = bool
  default     = false
}

variable "kms_key_arn" {
  description = "KMS key for the bucket, the results, the secret, the logs and the alarms; null takes the keys that AWS owns. Its own policy must let the account's IAM decide, and CloudWatch Logs and EventBridge use it."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null ? true : can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a key (not of an alias), such as arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab."
  }
}

variable "permissions_boundary_arn" {
  description = "Permissions boundary of the roles made here, where the company asks for one."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary_arn == null ? true : can(regex("^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/", var.permissions_boundary_arn))
    error_message = "permissions_boundary_arn must be the ARN of a policy, such as arn:aws:iam::123456789012:policy/boundary."
  }
}

variable "access_log_bucket" {
  description = "Bucket of yours that gets the access log of the lake, below the lake's name; it must let logging.s3.amazonaws.com write. Null: no log."
  type        = string
  default     = null

  validation {
    condition     = var.access_log_bucket == null ? true : can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.access_log_bucket)) && var.access_log_bucket != var.bucket
    error_message = "access_log_bucket must be the name of a bucket, and another one than the lake's, which would log its own log."
  }
}

variable "vpc_endpoint_ids" {
  description = "VPC endpoints of S3 through which alone objects may be read and written; Athena and the crawlers are let through. Empty: from anywhere."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for id in var.vpc_endpoint_ids : can(regex("^vpce-[0-9a-f]+$", id))])
    error_message = "vpc_endpoint_ids must be ids of VPC endpoints, such as vpce-0123456789abcdef0."
  }
}

variable "log_retention_days" {
  description = "Days for which the logs of Dagster's containers are kept: one of the numbers that CloudWatch takes."
  type        = number
  default     = 365

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be one of the numbers that CloudWatch takes, such as 7, 30, 90 or 365."
  }
}

variable "dump_retention_days" {
  description = "Days after which dumps are deleted; null keeps them."
  type        = number
  default     = null

  validation {
    condition     = var.dump_retention_days == null ? true : var.dump_retention_days >= 1 && floor(var.dump_retention_days) == var.dump_retention_days
    error_message = "dump_retention_days must be a whole number of days, 1 or more, or null."
  }
}

variable "landing_retention_days" {
  description = "Days after which landed Parquet is deleted: it can be made again from the dumps. Null keeps it."
  type        = number
  default     = 180

  validation {
    condition     = var.landing_retention_days == null ? true : var.landing_retention_days >= 7 && floor(var.landing_retention_days) == var.landing_retention_days
    error_message = "landing_retention_days must be a whole number of days, 7 or more, or null."
  }
}

variable "results_retention_days" {
  description = "Days after which results of Athena queries are deleted."
  type        = number
  default     = 7

  validation {
    condition     = var.results_retention_days >= 1 && floor(var.results_retention_days) == var.results_retention_days
    error_message = "results_retention_days must be a whole number of days, 1 or more."
  }
}

variable "noncurrent_days" {
  description = "Days for which replaced and deleted objects can be brought back (bucket versions)."
  type        = number
  default     = 14

  validation {
    condition     = var.noncurrent_days >= 1 && floor(var.noncurrent_days) == var.noncurrent_days
    error_message = "noncurrent_days must be a whole number of days, 1 or more."
  }
}

variable "query_limit_gib" {
  description = "A query that scans more than this many GiB is cancelled by Athena."
  type        = number
  default     = 100

  validation {
    condition     = var.query_limit_gib >= 0.01 && var.query_limit_gib <= 100000
    error_message = "query_limit_gib must be from 0.01 (Athena's least limit is 10 MB) to 100000."
  }
}

variable "pipeline_services" {
  description = "AWS services that may take the pipeline's role: where Dagster's code runs."
  type        = list(string)
  default     = ["ecs-tasks.amazonaws.com"]

  validation {
    condition     = alltrue([for service in var.pipeline_services : endswith(service, ".amazonaws.com")])
    error_message = "pipeline_services must be service principals, such as ecs-tasks.amazonaws.com."
  }
}

variable "pipeline_principals" {
  description = "ARNs of roles, users or accounts that may take the pipeline's role too."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.pipeline_principals : can(regex("^arn:aws[a-z-]*:(iam|sts)::[0-9]{12}:", arn))])
    error_message = "pipeline_principals must be ARNs, such as arn:aws:iam::123456789012:role/dagster; a wildcard is refused."
  }
}

variable "neo4j" {
  description = "Address and login of Neo4j, written to the secret when neo4j_version changes. The state does not keep it; a saved plan does."
  type        = object({ uri = string, username = string, password = string })
  default     = null
  sensitive   = true

  validation {
    condition     = var.neo4j == null ? true : can(regex("^(bolt|neo4j)(\\+s|\\+ssc)?://", var.neo4j.uri)) && var.neo4j.password != ""
    error_message = "neo4j.uri must start with neo4j+s://, neo4j://, bolt+s:// or bolt://, and the password mustn't be empty."
  }
}

variable "neo4j_version" {
  description = "0 leaves the secret without a value (put it there yourself). Raise it by one to write var.neo4j."
  type        = number
  default     = 0

  validation {
    condition     = var.neo4j_version >= 0 && floor(var.neo4j_version) == var.neo4j_version
    error_message = "neo4j_version must be a whole number, 0 or more."
  }
}

variable "secret_recovery_days" {
  description = "Days for which the deleted secret can be brought back, 7 to 30, and for which nothing can be deployed again under this name; 0 deletes it at once."
  type        = number
  default     = 0

  validation {
    condition     = var.secret_recovery_days == 0 || (var.secret_recovery_days >= 7 && var.secret_recovery_days <= 30)
    error_message = "secret_recovery_days must be 0, or from 7 to 30."
  }
}

variable "alarm_emails" {
  description = "Who is told of a failed crawler, and of the budget. Each address gets a mail to confirm. Empty: no failure alarm."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.alarm_emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", address))])
    error_message = "alarm_emails must be e-mail addresses."
  }
}

variable "monthly_budget_usd" {
  description = "Budget of the account's Athena, Glue and S3 in US dollars a month, with an alarm at 80 % and 100 %. 0: none."
  type        = number
  default     = 0

  validation {
    condition     = var.monthly_budget_usd >= 0
    error_message = "monthly_budget_usd must be 0 or more."
  }

  validation {
    condition     = var.monthly_budget_usd == 0 || length(var.alarm_emails) > 0
    error_message = "monthly_budget_usd needs alarm_emails: somebody must be told."
  }
}
