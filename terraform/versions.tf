terraform {
  required_version = ">= 1.11" # write-only arguments: the secret's value never enters the state

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

provider "aws" {
  region            = var.region
  s3_use_path_style = var.s3_use_path_style

  default_tags {
    tags = merge({ project = var.name }, var.tags)
  }
}
