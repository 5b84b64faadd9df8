"""What services tell CloudWatch of themselves: metrics, logs, rules of Contributor Insights."""
