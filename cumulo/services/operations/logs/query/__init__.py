"""CloudWatch Logs Insights' query language: from its text to a plan for DuckDB. Pure: nothing here knows the cloud."""
