"""Amazon CloudWatch Logs: log groups, streams and events, what is found in them, and where they go."""
