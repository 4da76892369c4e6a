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
  region = var.region

  default_tags {
    tags = merge({ project = var.name }, var.tags)
  }
}
