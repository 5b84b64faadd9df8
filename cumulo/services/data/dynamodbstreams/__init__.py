"""Amazon DynamoDB Streams: reading the changes of tables."""
