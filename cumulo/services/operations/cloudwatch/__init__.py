"""Amazon CloudWatch: metrics, what is computed from them, and Contributor Insights."""
