"""What is told of a bucket's contents day by day: inventories, analytics, storage metrics."""
