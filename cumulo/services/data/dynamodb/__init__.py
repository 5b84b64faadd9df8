"""Amazon DynamoDB: tables of items, their indexes, expressions and transactions."""
