"""Where things lie in a lake, the same in a folder and in S3."""


def landing_key(customer: str, table: str, date: str) -> str:
    """The key of a landed table's partition."""
    return f"landing/{customer}/{table}/snapshot_date={date}/{table}.parquet"
