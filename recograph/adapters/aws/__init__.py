"""AWS: S3 as the lake, Glue as the catalog, Athena as the warehouse."""
