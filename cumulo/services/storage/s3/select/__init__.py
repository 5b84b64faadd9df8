"""S3 Select: SQL over one object, by way of DuckDB."""
